# A build with one fault of tests/mutants seeded into it, to see that the tests find it. The sources stay
# as they are: the target that owns the mutated file compiles a changed copy.
set(MILLRACE_MUTANT "" CACHE STRING "Seed this fault of tests/mutants into the build; empty: none")
if(MILLRACE_MUTANT)
  find_program(MILLRACE_PYTHON python3 HINTS /usr/bin REQUIRED)
  execute_process(
    COMMAND ${MILLRACE_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/mutants/apply.py ${MILLRACE_MUTANT}
            ${CMAKE_BINARY_DIR}/mutant
    OUTPUT_VARIABLE MILLRACE_MUTATED OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB MILLRACE_CATALOGUE ${CMAKE_SOURCE_DIR}/tests/mutants/*.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${CMAKE_SOURCE_DIR}/${MILLRACE_MUTATED} ${MILLRACE_CATALOGUE})
  message(STATUS "mutant ${MILLRACE_MUTANT}: ${MILLRACE_MUTATED} is not as it stands in the sources")
endif()

# Puts the changed copy into the list of sources that holds the original.
function(millrace_mutate sources)
  if(NOT MILLRACE_MUTANT)
    return()
  endif()
  set(changed)
  foreach(source IN LISTS ${sources})
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE path)
    if(path STREQUAL "${CMAKE_SOURCE_DIR}/${MILLRACE_MUTATED}")
      set(source ${CMAKE_BINARY_DIR}/mutant/${MILLRACE_MUTATED})
      # Faults leave things unused; and one file need not be fast.
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-w;-O0;-g0")
    endif()
    list(APPEND changed ${source})
  endforeach()
  set(${sources} ${changed} PARENT_SCOPE)
endfunction()
