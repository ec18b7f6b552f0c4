# One place for what Millrace stands on. CMake package first, pkg-config second, and a clear message
# that names the package where neither is found.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

macro(millrace_require found name debian)
  if(NOT ${found})
    message(FATAL_ERROR "${name} was not found. On Debian or Ubuntu: apt-get install ${debian}")
  endif()
endmacro()

find_package(cppzmq CONFIG QUIET)
millrace_require(cppzmq_FOUND "cppzmq (and libzmq)" "cppzmq-dev libzmq3-dev")

find_package(FlatBuffers CONFIG QUIET)
millrace_require(FlatBuffers_FOUND "FlatBuffers" "libflatbuffers-dev flatbuffers-compiler flatbuffers-compiler-dev")
find_program(MILLRACE_FLATC flatc)
millrace_require(MILLRACE_FLATC "flatc" "flatbuffers-compiler")

# Debian's CMake package of CivetWeb insists on the stand-alone server program; the library is enough.
find_path(MILLRACE_CIVETWEB_INCLUDE civetweb.h)
find_library(MILLRACE_CIVETWEB_LIBRARY civetweb)
millrace_require(MILLRACE_CIVETWEB_LIBRARY "CivetWeb" "libcivetweb-dev")
add_library(millrace_civetweb INTERFACE)
target_include_directories(millrace_civetweb SYSTEM INTERFACE ${MILLRACE_CIVETWEB_INCLUDE})
target_link_libraries(millrace_civetweb INTERFACE ${MILLRACE_CIVETWEB_LIBRARY} Threads::Threads ${CMAKE_DL_LIBS})
add_library(millrace::civetweb ALIAS millrace_civetweb)

find_package(nlohmann_json CONFIG QUIET)
millrace_require(nlohmann_json_FOUND "nlohmann-json" "nlohmann-json3-dev")

find_package(CLI11 CONFIG QUIET)
millrace_require(CLI11_FOUND "CLI11" "libcli11-dev")

find_package(tomlplusplus CONFIG QUIET)
millrace_require(tomlplusplus_FOUND "toml++" "libtomlplusplus-dev")

find_package(spdlog CONFIG QUIET)
millrace_require(spdlog_FOUND "spdlog" "libspdlog-dev")

# No CMake package on Debian for these two.
pkg_check_modules(LMDB QUIET IMPORTED_TARGET lmdb)
millrace_require(LMDB_FOUND "LMDB" "liblmdb-dev")
add_library(millrace::lmdb ALIAS PkgConfig::LMDB)

pkg_check_modules(XXHASH QUIET IMPORTED_TARGET libxxhash)
millrace_require(XXHASH_FOUND "xxHash" "libxxhash-dev")
add_library(millrace::xxhash ALIAS PkgConfig::XXHASH)

# Header-only, in the compiler's own search path.
find_path(MILLRACE_ROBIN_MAP_INCLUDE tsl/robin_map.h)
millrace_require(MILLRACE_ROBIN_MAP_INCLUDE "robin-map" "robin-map-dev")

if(MILLRACE_BUILD_TESTS)
  find_package(GTest CONFIG QUIET)
  millrace_require(GTest_FOUND "GoogleTest" "libgtest-dev libgmock-dev")
  find_package(rapidcheck CONFIG QUIET)
  millrace_require(rapidcheck_FOUND "rapidcheck" "librapidcheck-dev")
endif()
if(MILLRACE_BUILD_BENCH)
  find_package(benchmark CONFIG QUIET)
  millrace_require(benchmark_FOUND "Google Benchmark" "libbenchmark-dev")
endif()
