// A strict reader of the Prometheus text format 0.0.4 for tests: what a lenient scraper would
// forgive is a failure here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::broker {

struct PrometheusSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct PrometheusFamily {
  std::string name;
  std::string help;
  std::string type;
  std::vector<PrometheusSample> samples;
};

struct PrometheusDocument {
  std::vector<PrometheusFamily> families;
  std::string error;  // the first rule broken and its line; empty when there is none

  // Null unless there is exactly one family, or one sample, of that name and these labels.
  const PrometheusFamily* family(std::string_view name) const;
  const PrometheusSample* sample(std::string_view name,
                                 const std::map<std::string, std::string>& labels = {}) const;
};

PrometheusDocument parse_prometheus(std::string_view text);

}  // namespace millrace::broker
