# cmake -D OUTPUT=file.cpp -D FILES="a.html;b.js" -P embed_files.cmake
# Writes a C++ file that defines, for each file, the function that embedded_files.h declares.
set(text "#include \"broker/admin/embedded_files.h\"\n\nnamespace millrace::broker {\n")
string(REPEAT "0x[0-9a-f][0-9a-f], " 16 line)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "[^A-Za-z0-9]" "_" name ${name})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${hex}")
  string(REGEX REPLACE "(${line})" "\\1\n      " bytes "${bytes}")
  string(APPEND text "\nstd::string_view embedded_${name}() {\n"
                     "  static constexpr unsigned char kBytes[] = {\n      ${bytes}};\n"
                     "  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};\n}\n")
endforeach()
string(APPEND text "\n}  // namespace millrace::broker\n")
file(WRITE ${OUTPUT} "${text}")
