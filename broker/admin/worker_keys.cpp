#include "broker/admin/worker_keys.h"

#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "common/wire/utf8.h"

namespace millrace::broker {

std::vector<std::string> worker_keys(const std::vector<WorkerStatus>& workers) {
  std::set<std::string> taken;
  std::map<std::string, std::size_t> copies;  // by name, so that many of one name stay cheap
  std::vector<std::string> keys;
  keys.reserve(workers.size());
  for (const WorkerStatus& worker : workers) {
    const std::string name = replace_invalid_utf8(worker.name);
    std::size_t& copy = copies[name];
    std::string key = ++copy == 1 ? name : name + "#" + std::to_string(copy);
    while (!taken.insert(key).second) key = name + "#" + std::to_string(++copy);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace millrace::broker
