// The grammar of the Prometheus text format: families with HELP and TYPE, samples, labels,
// histograms.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

class PrometheusWriter {
 public:
  // Label values may hold any bytes; they are repaired to UTF-8 and escaped.
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  using Labels = std::initializer_list<Label>;

  // Begins a family; its samples follow. `name` comes without the millrace_ prefix, a counter's
  // name ends in _total.
  void begin_gauge(std::string_view name, std::string_view help);
  void begin_counter(std::string_view name, std::string_view help);

  // One sample of the family begun last.
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);

  // Families of one sample without labels.
  void gauge(std::string_view name, std::string_view help, std::uint64_t value);
  void gauge(std::string_view name, std::string_view help, double value);
  void counter(std::string_view name, std::string_view help, std::uint64_t value);
  void counter(std::string_view name, std::string_view help, double value);

  // A whole histogram in seconds: cumulative buckets, _sum and _count. `name` ends in _seconds.
  void histogram(std::string_view name, std::string_view help, const LatencySummary& summary);

  std::string take() { return std::move(text_); }

 private:
  void begin(std::string_view name, std::string_view help, std::string_view type);
  void write_sample(std::string_view suffix, Labels labels, std::string_view value);

  std::string text_;
  std::string family_;
};

}  // namespace millrace::broker
