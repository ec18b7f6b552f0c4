# Who may include whom is a link line: a target sees only what it links.

function(millrace_compile_settings target)
  # Warnings of GCC 12 that cry wolf when the library is inlined: over the inactive members of a moved
  # std::variant (GCC bug 105562) and over std::string's own buffer (105651). clang has no such trouble.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                         $<$<BOOL:${MILLRACE_WERROR}>:-Werror>)
endfunction()

# Headers that nearly every file of a group includes are compiled once for the whole build, not once a file. Every file
# still includes what it uses: the `dev`, `clang` and `release` presets build without.
file(WRITE ${CMAKE_BINARY_DIR}/headers.cpp "")
function(millrace_headers name)
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/headers.cpp)
  target_precompile_headers(${name} PRIVATE <algorithm> <functional> <map> <memory> <optional> <set> <string>
                            <unordered_map> <variant> <vector> ${ARGN})
  millrace_compile_settings(${name})
endfunction()
millrace_headers(millrace_common_headers)
millrace_headers(millrace_json_headers <nlohmann/json.hpp>)
target_link_libraries(millrace_json_headers PRIVATE nlohmann_json::nlohmann_json)
if(MILLRACE_BUILD_TESTS)
  millrace_headers(millrace_test_headers <gmock/gmock.h> <gtest/gtest.h>)
  target_link_libraries(millrace_test_headers PRIVATE GTest::gtest GTest::gmock)
endif()

# millrace_library(name SOURCES ... [PUBLIC libs...] [PRIVATE libs...] [HEADERS millrace_json_headers])
function(millrace_library name)
  cmake_parse_arguments(ARG "" "HEADERS" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT ARG_HEADERS)
    set(ARG_HEADERS millrace_common_headers)
  endif()
  millrace_mutate(ARG_SOURCES)
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  target_precompile_headers(${name} REUSE_FROM ${ARG_HEADERS})
  millrace_compile_settings(${name})
endfunction()

# millrace_program(name SOURCES ... LINK libs...)
function(millrace_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  millrace_compile_settings(${name})
endfunction()

# millrace_test(name SOURCES ... LINK libs... [LABELS ...] [TIMEOUT seconds]): a GoogleTest program
# registered with CTest as a whole.
function(millrace_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest_main GTest::gmock)
  target_precompile_headers(${name} REUSE_FROM millrace_test_headers)
  millrace_compile_settings(${name})
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
