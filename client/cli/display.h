// How values look to people: grouped numbers, short ages, aligned tables, colours on a terminal.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/readable.h"

namespace millrace::cli {

using millrace::age_text;
using millrace::grouped;

// `text` made fit for one line of a terminal: valid UTF-8, control characters shown as spaces, at
// most `width_max` characters (0: all of them).
std::string printable(std::string_view text, std::size_t width_max = 0);
// Characters of valid UTF-8.
std::size_t width_of(std::string_view text);
// `file` is a terminal that wants colours (NO_COLOR is not set; see no-color.org).
bool wants_colour(std::FILE* file);

enum class Align { left, right };

// Rows under headings, each column as wide as its widest cell.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
  };
  Table(std::vector<Column> columns, bool colour) : columns_(std::move(columns)), colour_(colour) {}

  // As many cells as columns. Cells are made printable.
  void add(std::vector<std::string> cells);
  std::string text() const;
  bool empty() const { return rows_.empty(); }

 private:
  std::vector<Column> columns_;
  bool colour_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace millrace::cli
