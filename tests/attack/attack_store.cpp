// A store that is attacked, and the judge of what an attack left: see README.md. Every command ends
// with one line of JSON, except for `live`, which prints the number of each batch that is durable.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/attack/apart.h"
#include "tests/attack/damaged_store.h"
#include "tests/attack/torn_disk.h"
#include "tests/attack/workload.h"

namespace millrace::attack {
namespace {

constexpr char kUsage[] =
    "usage: attack_store live DIRECTORY SEED BATCHES\n"
    "       attack_store check DIRECTORY SEED BATCHES ACKNOWLEDGED\n"
    "       attack_store torn RECORDING WORK_DIRECTORY SEED BATCHES IMAGES IMAGE_SEED "
    "honest|lying\n"
    "       attack_store damage DIRECTORY WORK_DIRECTORY SEED BATCHES FLIPS FLIP_SEED\n";

using Arguments = std::vector<std::string>;

std::uint64_t number(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 10);
}

// Straight to the descriptor, so that the order of what is told and what is written stays known.
void tell(std::uint64_t batch) {
  const std::string line = std::to_string(batch) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(1);
}

int run_live(const Arguments& given) {
  const Life life(number(given[1]), number(given[2]));
  const auto store = broker::LmdbStore::open(small_store(given[0]));
  if (!store.ok()) return std::fprintf(stderr, "%s\n", store.error().message.c_str()), 78;
  tell((*store)->durable().value);
  live(**store, life, life.batches.size(), tell);
  return 0;
}

int run_check(const Arguments& given) {
  const Life life(number(given[1]), number(given[2]));
  const Verdict verdict = examine(given[0], life, number(given[3]));
  std::printf("{\"batches\": %llu, \"problem\": \"%s\"}\n",
              static_cast<unsigned long long>(verdict.batches), verdict.problem.c_str());
  return verdict.problem.empty() ? 0 : 1;
}

int run_torn(const Arguments& given) {
  const Life life(number(given[2]), number(given[3]));
  const Disk disk = given[6] == "lying" ? Disk::lying : Disk::honest;
  const bool sound =
      examine_torn_disks(given[0], given[1], life, number(given[4]), number(given[5]), disk);
  return sound ? 0 : 1;
}

int run_damage(const Arguments& given) {
  const Life life(number(given[2]), number(given[3]));
  return examine_damage(given[0], given[1], life, number(given[4]), number(given[5])) ? 0 : 1;
}

struct Command {
  const char* name;
  std::size_t arguments;
  int (*run)(const Arguments&);
};
constexpr std::array<Command, 4> kCommands = {{{"live", 3, run_live},
                                               {"check", 4, run_check},
                                               {"torn", 7, run_torn},
                                               {"damage", 6, run_damage}}};

}  // namespace
}  // namespace millrace::attack

int main(int argc, char** argv) {
  const std::vector<std::string> given(argv + 1, argv + argc);
  for (const auto& command : millrace::attack::kCommands) {
    if (given.size() == command.arguments + 1 && given[0] == command.name) {
      return command.run({given.begin() + 1, given.end()});
    }
  }
  std::fputs(millrace::attack::kUsage, stderr);
  return 2;
}
