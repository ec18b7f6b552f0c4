# Who may include whom is a link line: a target sees only what it links.

function(millrace_compile_settings target)
  # GCC 12 takes the inactive members of a moved std::variant for uninitialised (GCC bug 105562).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
                         $<$<BOOL:${MILLRACE_WERROR}>:-Werror>)
endfunction()

# millrace_library(name SOURCES ... [PUBLIC libs...] [PRIVATE libs...])
function(millrace_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
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
  millrace_compile_settings(${name})
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
