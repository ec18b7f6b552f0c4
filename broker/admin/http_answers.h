// Answers in the form that all documents and all errors of the HTTP port have. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "broker/admin/http_message.h"
#include "common/base/result.h"

namespace millrace::broker {

HttpResponse json_answer(std::string document, int status = 200);

// {"error": {"code", "message"}}; the message is one line for a person.
HttpResponse error_answer(int status, std::string_view code, std::string_view message);

// An answer of "not now": 503 with Retry-After.
HttpResponse retry_answer(std::string_view code, std::string_view message);

// The answer to an operating error, with the status that fits its code.
HttpResponse error_answer(const Error& error);

}  // namespace millrace::broker
