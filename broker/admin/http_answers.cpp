#include "broker/admin/http_answers.h"

#include <utility>

#include "broker/admin/task_json.h"

namespace millrace::broker {
namespace {

constexpr const char* kJsonContentType = "application/json; charset=utf-8";
constexpr const char* kRetryAfterSeconds = "1";

}  // namespace

HttpResponse json_answer(std::string document, int status) {
  HttpResponse response;
  response.status = status;
  response.content_type = kJsonContentType;
  response.body = std::move(document);
  return response;
}

HttpResponse error_answer(int status, std::string_view code, std::string_view message) {
  return json_answer(error_json(code, message), status);
}

HttpResponse retry_answer(std::string_view code, std::string_view message) {
  HttpResponse response = error_answer(503, code, message);
  response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  return response;
}

HttpResponse error_answer(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid:
      return error_answer(400, name_of(error.code), error.message);
    case ErrorCode::not_found:
      return error_answer(404, name_of(error.code), error.message);
    case ErrorCode::conflict:
    case ErrorCode::stale_lease:
      return error_answer(409, name_of(error.code), error.message);
    case ErrorCode::too_large:
      return error_answer(413, name_of(error.code), error.message);
    case ErrorCode::busy:
    case ErrorCode::store_full:
    case ErrorCode::shutting_down:
    case ErrorCode::unavailable:
    case ErrorCode::unknown_session:
      return retry_answer(name_of(error.code), error.message);
    default:
      return error_answer(500, name_of(error.code), error.message);
  }
}

}  // namespace millrace::broker
