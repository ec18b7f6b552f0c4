# `cmake --install` lays out the programs, the two C++ libraries and find_package(millrace).
include(GNUInstallDirs)
