# `cmake --install` lays out the programs, the two C++ libraries and find_package(millrace):
#
#   find_package(millrace REQUIRED)
#   target_link_libraries(app PRIVATE millrace::client)     # or millrace::worker
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

foreach(program millrace-broker millrace-worker millrace_cli)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
  endif()
endforeach()

# The public headers are client.h and worker.h; the rest is what they include. They are included by the
# names they have here.
set(MILLRACE_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/millrace)
file(GLOB base_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/common/base/*.h)
list(REMOVE_ITEM base_headers ${CMAKE_SOURCE_DIR}/common/base/flat_map.h)  # only used inside
install(FILES ${base_headers} DESTINATION ${MILLRACE_HEADERS}/common/base COMPONENT development)
install(FILES common/wire/task_codec.h DESTINATION ${MILLRACE_HEADERS}/common/wire COMPONENT development)
install(FILES client/cpp/client.h DESTINATION ${MILLRACE_HEADERS}/client/cpp COMPONENT development)
install(FILES worker/cpp/worker.h DESTINATION ${MILLRACE_HEADERS}/worker/cpp COMPONENT development)

set_target_properties(millrace_client PROPERTIES EXPORT_NAME client)
set_target_properties(millrace_worker PROPERTIES EXPORT_NAME worker)
install(TARGETS millrace_client millrace_worker millrace_client_session millrace_worker_session
                millrace_wire millrace_keys millrace_text millrace_host millrace_base millrace_schemas
        EXPORT millrace-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${MILLRACE_HEADERS})
set(MILLRACE_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)
install(EXPORT millrace-targets NAMESPACE millrace:: DESTINATION ${MILLRACE_PACKAGE}
        COMPONENT development)
configure_package_config_file(cmake/millrace-config.cmake.in
  ${CMAKE_BINARY_DIR}/millrace-config.cmake INSTALL_DESTINATION ${MILLRACE_PACKAGE})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/millrace-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/millrace-config.cmake
              ${CMAKE_BINARY_DIR}/millrace-config-version.cmake
        DESTINATION ${MILLRACE_PACKAGE} COMPONENT development)

# The conformance kit, for those who write workers and clients in other languages, and what it reads.
install(PROGRAMS tests/conform/millrace-conform DESTINATION ${CMAKE_INSTALL_BINDIR}
        COMPONENT development)
install(DIRECTORY tests/conform/millrace_conform DESTINATION ${CMAKE_INSTALL_DATADIR}/millrace
        COMPONENT development PATTERN __pycache__ EXCLUDE)
install(FILES schemas/uuid.fbs schemas/task.fbs schemas/control.fbs schemas/heartbeat.fbs
        DESTINATION ${CMAKE_INSTALL_DATADIR}/millrace/schemas COMPONENT development)
