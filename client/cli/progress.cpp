#include "client/cli/progress.h"

#include <unistd.h>

#include <algorithm>

#include "client/cli/display.h"

namespace millrace::cli {
namespace {

constexpr std::uint64_t kBarCells = 20;
constexpr Duration kRedrawInterval = Duration::milliseconds(100);

std::string bar(std::uint64_t filled) {
  std::string text = "▕";
  for (std::uint64_t i = 0; i < kBarCells; ++i) text += i < filled ? "█" : " ";
  return text + "▏";
}

}  // namespace

std::string progress_line(const ProgressFigures& figures, Duration elapsed) {
  const std::uint64_t total = std::max<std::uint64_t>(figures.total, 1);
  const std::uint64_t done = std::min(figures.done, total);
  const double seconds = elapsed.in_seconds();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::string total_text = grouped(figures.total) + (figures.total_is_final ? "" : "+");
  std::string done_text = grouped(done);
  if (done_text.size() < total_text.size()) {
    done_text.insert(0, total_text.size() - done_text.size(), ' ');
  }
  std::string line = "  " + done_text + "/" + total_text + "  " +
                     std::to_string(done * 100 / total) + " % " + bar(done * kBarCells / total) +
                     " " + grouped(static_cast<std::uint64_t>(rate)) + "/s  dead " +
                     grouped(figures.dead);
  if (figures.total_is_final && rate > 0 && done < total) {
    const double left = static_cast<double>(total - done) / rate;
    const double shown = std::min(left, 1e9);
    line += "  ETA " + age_text(Duration::seconds(static_cast<std::int64_t>(shown) + 1));
  }
  return line;
}

Progress::Progress(std::FILE* file, Time start)
    : file_(file), enabled_(::isatty(::fileno(file)) == 1), start_(start) {}

Progress::~Progress() {
  erase();
}

void Progress::show(const ProgressFigures& figures, Time now) {
  if (!enabled_ || now - last_ < kRedrawInterval) return;
  last_ = now;
  drawn_ = true;
  std::fprintf(file_, "\r%s\x1b[K", progress_line(figures, now - start_).c_str());
  std::fflush(file_);
}

void Progress::erase() {
  if (!drawn_) return;
  drawn_ = false;
  last_ = Time();
  std::fprintf(file_, "\r\x1b[K");
  std::fflush(file_);
}

}  // namespace millrace::cli
