#include "client/cli/display.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/check.h"
#include "common/wire/utf8.h"

namespace millrace::cli {
namespace {

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string printable(std::string_view text, std::size_t width_max) {
  std::string clean = replace_invalid_utf8(text);
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (width_max == 0 || width_of(clean) <= width_max) return clean;
  std::size_t end = 0;
  for (std::size_t width = 0; end < clean.size(); ++end) {
    if (starts_character(clean[end]) && ++width == width_max) break;
  }
  return clean.substr(0, end) + "…";
}

bool wants_colour(std::FILE* file) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return ::isatty(::fileno(file)) == 1;
}

void Table::add(std::vector<std::string> cells) {
  MILLRACE_CHECK(cells.size() == columns_.size(), "a row has a cell for each column");
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = width_of(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
    widths.push_back(width);
  }
  std::string out;
  const auto write_cell = [&](std::size_t i, const std::string& cell) {
    const std::string gap(widths[i] - width_of(cell), ' ');
    const bool last = i + 1 == columns_.size();
    if (columns_[i].align == Align::right) {
      out += gap + cell;
    } else {
      out += last ? cell : cell + gap;
    }
    out += last ? "\n" : "  ";
  };
  if (colour_) out += "\x1b[1m";
  for (std::size_t i = 0; i < columns_.size(); ++i) write_cell(i, columns_[i].heading);
  if (colour_) out += "\x1b[0m";
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < columns_.size(); ++i) write_cell(i, row[i]);
  }
  return out;
}

}  // namespace millrace::cli
