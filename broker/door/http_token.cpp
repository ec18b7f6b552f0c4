#include "broker/door/http_token.h"

#include <unistd.h>

#include <algorithm>
#include <random>

#include "common/keys/private_file.h"

namespace millrace::broker {
namespace {

constexpr int kWords = 8;  // of 32 bits
constexpr std::size_t kTokenCharactersLeast = 16;

std::string draw_token() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device device;
  std::string token;
  for (int word = 0; word < kWords; ++word) {
    const std::uint32_t bits = device();
    for (unsigned shift = 0; shift < 32; shift += 4) token.push_back(kDigits[bits >> shift & 0xf]);
  }
  return token;
}

// Nothing that a header or a shell could take for something else.
bool is_token(const std::string& text) {
  return text.size() >= kTokenCharactersLeast && std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != ',' && c != ';';
         });
}

Result<std::string> read_token(const std::string& path) {
  Result<std::string> text = keys::read_private_file(path);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (is_token(*text)) return text;
  return Error{ErrorCode::misconfigured,
               path +
                   ": is no token, 16 or more visible characters in one line; remove the file, "
                   "and the next start makes one"};
}

}  // namespace

Result<std::string> open_http_token(const std::string& directory) {
  const std::string path = directory + "/http-token";
  if (::access(path.c_str(), F_OK) != 0) {
    const Status written = keys::write_private_file(path, draw_token() + "\n");
    if (!written.ok()) return written.error();
  }
  Result<std::string> token = read_token(path);
  if (!token) return token;
  const std::string header_path = directory + "/http-header";
  const std::string header = "Authorization: Bearer " + *token + "\n";
  const Result<std::string> before = keys::read_private_file(header_path);
  if (!before.ok() || *before != header) {
    ::unlink(header_path.c_str());
    const Status written = keys::write_private_file(header_path, header);
    if (!written.ok()) return written.error();
  }
  return token;
}

}  // namespace millrace::broker
