#include "tests/unit/admin/prometheus_parser.h"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>

namespace millrace::broker {
namespace {

bool is_name(std::string_view text, bool colons) {
  const auto letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  if (text.empty() || !letter(text.front())) return false;
  for (const char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

std::optional<double> parse_value(const std::string& text) {
  if (text == "NaN") return std::nan("");
  if (text == "+Inf") return HUGE_VAL;
  if (text == "-Inf") return -HUGE_VAL;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || text.front() == ' ' || *end != '\0' || !std::isfinite(value))
    return std::nullopt;
  return value;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.ends_with(end);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  PrometheusDocument parse() {
    if (!rest_.empty() && rest_.back() != '\n') fail("the last line has no end");
    while (!rest_.empty() && document_.error.empty()) {
      const std::size_t end = rest_.find('\n');
      line_ = std::string(rest_.substr(0, end));
      rest_.remove_prefix(end + 1);
      ++number_;
      parse_line();
    }
    if (document_.error.empty()) check_all();
    return std::move(document_);
  }

 private:
  void fail(const std::string& rule) {
    if (document_.error.empty()) {
      document_.error = "line " + std::to_string(number_) + ": " + rule + ": " + line_;
    }
  }

  void parse_line() {
    if (line_.starts_with("# HELP ")) return parse_help();
    if (line_.starts_with("# TYPE ")) return parse_type();
    if (line_.empty() || line_.front() == '#') return fail("neither a sample nor HELP nor TYPE");
    parse_sample();
  }

  void parse_help() {
    const std::size_t space = line_.find(' ', 7);
    if (space == std::string::npos || space + 1 == line_.size()) return fail("HELP without a text");
    PrometheusFamily family;
    family.name = line_.substr(7, space - 7);
    family.help = line_.substr(space + 1);
    if (!is_name(family.name, true)) return fail("bad family name");
    if (!seen_.insert(family.name).second) return fail("family twice");
    document_.families.push_back(std::move(family));
  }

  void parse_type() {
    if (document_.families.empty()) return fail("TYPE before HELP");
    PrometheusFamily& family = document_.families.back();
    const std::string start = "# TYPE " + family.name + " ";
    if (!line_.starts_with(start)) return fail("TYPE of another family than HELP");
    if (!family.type.empty() || !family.samples.empty()) return fail("TYPE twice or too late");
    family.type = line_.substr(start.size());
    static const std::set<std::string> kTypes = {"gauge", "counter", "histogram"};
    if (!kTypes.contains(family.type)) return fail("unknown type");
  }

  void parse_sample() {
    if (document_.families.empty() || document_.families.back().type.empty()) {
      return fail("sample without HELP and TYPE");
    }
    PrometheusSample sample;
    std::size_t at = line_.find_first_of("{ ");
    if (at == std::string::npos) return fail("no value");
    sample.name = line_.substr(0, at);
    if (line_[at] == '{' && !parse_labels(++at, sample)) return;
    if (at >= line_.size() || line_[at] != ' ') return fail("no space before the value");
    const std::optional<double> value = parse_value(line_.substr(at + 1));
    if (!value) return fail("bad value");
    sample.value = *value;
    add(std::move(sample));
  }

  bool parse_labels(std::size_t& at, PrometheusSample& sample) {
    for (;;) {
      const std::size_t equals = line_.find('=', at);
      if (equals == std::string::npos) return fail("label without ="), false;
      const std::string name = line_.substr(at, equals - at);
      if (!is_name(name, false)) return fail("bad label name"), false;
      at = equals + 1;
      const std::optional<std::string> value = parse_label_value(at);
      if (!value) return fail("bad label value"), false;
      if (!sample.labels.emplace(name, *value).second) return fail("label twice"), false;
      if (at >= line_.size()) return fail("labels without an end"), false;
      if (line_[at] == '}') return ++at, true;
      if (line_[at++] != ',') return fail("no comma between labels"), false;
    }
  }

  std::optional<std::string> parse_label_value(std::size_t& at) {
    if (at >= line_.size() || line_[at++] != '"') return std::nullopt;
    std::string value;
    while (at < line_.size() && line_[at] != '"') {
      char c = line_[at++];
      if (c == '\\') {
        if (at >= line_.size()) return std::nullopt;
        const char escaped = line_[at++];
        if (escaped != '\\' && escaped != '"' && escaped != 'n') return std::nullopt;
        c = escaped == 'n' ? '\n' : escaped;
      }
      value += c;
    }
    if (at >= line_.size()) return std::nullopt;
    ++at;
    return value;
  }

  void add(PrometheusSample sample) {
    PrometheusFamily& family = document_.families.back();
    const std::string suffix =
        sample.name.starts_with(family.name) ? sample.name.substr(family.name.size()) : "?";
    static const std::set<std::string> kOfHistogram = {"_bucket", "_sum", "_count"};
    const bool fits = family.type == "histogram" ? kOfHistogram.contains(suffix) : suffix.empty();
    if (!fits) return fail("sample of another family");
    if (family.type == "counter" && !ends_with(sample.name, "_total")) {
      return fail("counter without _total");
    }
    if (family.type != "gauge" && !(sample.value >= 0)) return fail("negative count");
    std::string key = sample.name;
    for (const auto& label : sample.labels) key += '\0' + label.first + '\0' + label.second;
    if (!samples_.insert(key).second) return fail("sample twice");
    family.samples.push_back(std::move(sample));
  }

  void check_all() {
    for (const PrometheusFamily& family : document_.families) {
      line_ = family.name;
      if (family.type.empty()) fail("no TYPE");
      if (family.type == "histogram") check_histogram(family);
    }
  }

  // Of one label set, which is all that the broker writes.
  void check_histogram(const PrometheusFamily& family) {
    double bound_before = -HUGE_VAL;
    double count_before = 0;
    double count = -1;
    bool sum = false;
    for (const PrometheusSample& sample : family.samples) {
      if (ends_with(sample.name, "_sum")) sum = true;
      if (ends_with(sample.name, "_count")) count = sample.value;
      if (!ends_with(sample.name, "_bucket")) continue;
      const auto le = sample.labels.find("le");
      if (le == sample.labels.end()) return fail("bucket without le");
      const std::optional<double> bound = parse_value(le->second);
      if (!bound || !(*bound > bound_before)) return fail("bounds do not rise");
      if (sample.value < count_before) return fail("buckets are not cumulative");
      bound_before = *bound;
      count_before = sample.value;
    }
    if (bound_before != HUGE_VAL) return fail("no +Inf bucket");
    if (!sum || count != count_before) fail("_sum is missing or _count is not the +Inf bucket");
  }

  std::string_view rest_;
  std::string line_;
  std::size_t number_ = 0;
  std::set<std::string> seen_;
  std::set<std::string> samples_;
  PrometheusDocument document_;
};

}  // namespace

const PrometheusFamily* PrometheusDocument::family(std::string_view name) const {
  for (const PrometheusFamily& one : families) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

const PrometheusSample* PrometheusDocument::sample(
    std::string_view name, const std::map<std::string, std::string>& labels) const {
  for (const PrometheusFamily& one : families) {
    for (const PrometheusSample& candidate : one.samples) {
      if (candidate.name == name && candidate.labels == labels) return &candidate;
    }
  }
  return nullptr;
}

PrometheusDocument parse_prometheus(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace millrace::broker
