#include "broker/admin/prometheus_writer.h"

#include <charconv>
#include <cmath>

#include "broker/admin/latency.h"
#include "common/wire/utf8.h"

namespace millrace::broker {
namespace {

constexpr std::string_view kPrefix = "millrace_";

// The shortest text that reads back as the same number.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : replace_invalid_utf8(value)) {
    switch (c) {
      case '\\':
        text += "\\\\";
        break;
      case '"':
        text += "\\\"";
        break;
      case '\n':
        text += "\\n";
        break;
      default:
        text += c;
    }
  }
}

}  // namespace

void PrometheusWriter::begin_gauge(std::string_view name, std::string_view help) {
  begin(name, help, "gauge");
}
void PrometheusWriter::begin_counter(std::string_view name, std::string_view help) {
  begin(name, help, "counter");
}

void PrometheusWriter::sample(Labels labels, std::uint64_t value) {
  write_sample("", labels, std::to_string(value));
}
void PrometheusWriter::sample(Labels labels, double value) {
  write_sample("", labels, number(value));
}

void PrometheusWriter::gauge(std::string_view name, std::string_view help, std::uint64_t value) {
  begin_gauge(name, help);
  sample({}, value);
}
void PrometheusWriter::gauge(std::string_view name, std::string_view help, double value) {
  begin_gauge(name, help);
  sample({}, value);
}
void PrometheusWriter::counter(std::string_view name, std::string_view help, std::uint64_t value) {
  begin_counter(name, help);
  sample({}, value);
}
void PrometheusWriter::counter(std::string_view name, std::string_view help, double value) {
  begin_counter(name, help);
  sample({}, value);
}

void PrometheusWriter::histogram(std::string_view name, std::string_view help,
                                 const LatencySummary& summary) {
  begin(name, help, "histogram");
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i + 1 < LatencySummary::kBuckets; ++i) {
    cumulative += summary.buckets[i];
    const std::string bound = number(bucket_bound(i).in_seconds());
    write_sample("_bucket", {{"le", bound}}, std::to_string(cumulative));
  }
  // What the buckets hold, not summary.count: the format demands that +Inf and _count agree.
  cumulative += summary.buckets.back();
  write_sample("_bucket", {{"le", "+Inf"}}, std::to_string(cumulative));
  write_sample("_sum", {}, number(summary.total.in_seconds()));
  write_sample("_count", {}, std::to_string(cumulative));
}

void PrometheusWriter::begin(std::string_view name, std::string_view help, std::string_view type) {
  family_.assign(kPrefix).append(name);
  text_.append("# HELP ").append(family_).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(family_).append(" ").append(type).append("\n");
}

void PrometheusWriter::write_sample(std::string_view suffix, Labels labels,
                                    std::string_view value) {
  text_.append(family_).append(suffix);
  char separator = '{';
  for (const Label& label : labels) {
    text_ += separator;
    text_.append(label.name).append("=\"");
    append_escaped(text_, label.value);
    text_ += '"';
    separator = ',';
  }
  if (labels.size() != 0) text_ += '}';
  text_.append(" ").append(value).append("\n");
}

}  // namespace millrace::broker
