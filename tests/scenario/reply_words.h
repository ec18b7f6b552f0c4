// The words of a reply that is complete as the core wrote it.
#pragma once

#include <string>

#include "common/base/messages.h"

namespace millrace::broker::test {

std::string words_of(const ClientReply& reply);
std::string words_of(const WorkerReply& reply);

}  // namespace millrace::broker::test
