// A status snapshot in the Prometheus text exposition format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/): the same figures as
// status_json.h, under Prometheus's naming rules (base units, _total for counters).
#pragma once

#include <string>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

// Workers are labelled by their key in workers_json, so that two of one name stay apart.
// Thread-safe.
std::string prometheus_text(const StatusSnapshot& snapshot);

}  // namespace millrace::broker
