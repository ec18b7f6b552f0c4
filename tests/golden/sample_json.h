// A sample as the JSON of its fixture: the fields of the schema, by hand from the values and not
// from the codecs, so that a field which both directions of a codec mistake in the same way shows.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/golden/sample.h"

namespace millrace::golden {

using Json = nlohmann::ordered_json;

// {about, root, identifier, fields, bundle}; README.md says how the values are written.
Json json_of(const Sample& sample);

// The fields of one message; what it has for the bundle is appended to `parts`.
using Parts = std::vector<SharedBytes>;
Json fields_of(const ClientMessage& message, Parts& parts);
Json fields_of(const ClientReply& message, Parts& parts);
Json fields_of(const WorkerMessage& message, Parts& parts);
Json fields_of(const WorkerReply& message, Parts& parts);

// The name of a message's table, and the request it carries.
std::string name_of_table(const Value& value);
std::uint64_t request_of(const Value& value);

}  // namespace millrace::golden
