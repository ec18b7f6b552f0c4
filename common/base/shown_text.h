// Foreign text inside an error line.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

// `text` as it may stand in a line for a person: what is not printable ASCII becomes '?', and of a
// long text the beginning is shown.
inline std::string shown_text(std::string_view text) {
  constexpr std::size_t kShownBytesMax = 100;
  std::string shown(text.substr(0, kShownBytesMax));
  for (char& c : shown) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (shown.size() < text.size()) shown += "...";
  return shown;
}

}  // namespace millrace
