#include "broker/store_tools.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "broker/store/store_copy.h"
#include "broker/store_export.h"
#include "common/host/configuration.h"

namespace millrace::broker {
namespace {

using host::ExitCode;

struct Paths {
  std::string data;
  std::string other;  // --to or --from
};

ExitCode refuse(const Error& error) {
  std::fprintf(stderr, "millrace-broker: %s\n", error.message.c_str());
  return error.code == ErrorCode::corrupt ? ExitCode::work_failed : ExitCode::refused_to_start;
}

// Bytes of people, for the summary lines.
std::string megabytes(ByteCount bytes) {
  return std::to_string((bytes.value + 500'000) / 1'000'000) + " MB";
}

void print_problem(const std::string& line) {
  std::printf("%s\n", line.c_str());
}
void report_problem(const std::string& line) {
  std::fprintf(stderr, "millrace-broker: %s\n", line.c_str());
}

// ---- the tools ----------------------------------------------------------------------------------

ExitCode run_fsck(const Paths& paths) {
  const Result<std::unique_ptr<StoreReader>> store = StoreReader::open(paths.data);
  if (!store.ok()) return refuse(store.error());
  const Result<StoreCheckSummary> summary = check_store(**store, print_problem);
  if (!summary.ok()) return refuse(summary.error());
  std::printf("%s: %llu tasks, %llu log entries, %llu values beside the log\n",
              summary->problems == 0 ? "intact" : "damaged",
              static_cast<unsigned long long>(summary->tasks),
              static_cast<unsigned long long>(summary->log_entries),
              static_cast<unsigned long long>(summary->values));
  return summary->problems == 0 ? ExitCode::done : ExitCode::work_failed;
}

// Where pages are damaged it saves what can be reached, after saying so.
ExitCode run_export(const Paths& paths) {
  Result<std::unique_ptr<StoreReader>> store = StoreReader::open(paths.data);
  const bool has_damaged_pages = !store.ok() && store.error().code == ErrorCode::corrupt;
  if (has_damaged_pages) {
    report_problem(store.error().message);
    store = StoreReader::open(paths.data, StoreReader::Pages::as_they_are);
  }
  if (!store.ok()) return refuse(store.error());
  const Result<ExportSummary> summary = export_tasks(**store, stdout);
  if (!summary.ok()) return refuse(summary.error());
  if (summary->damaged == 0) return has_damaged_pages ? ExitCode::work_failed : ExitCode::done;
  std::fprintf(stderr,
               "millrace-broker: %llu of %llu tasks could not be read whole: see \"damage\"\n",
               static_cast<unsigned long long>(summary->damaged),
               static_cast<unsigned long long>(summary->tasks));
  return ExitCode::work_failed;
}

ExitCode run_copy(const std::string& from, const std::string& to, const char* done) {
  const Result<StoreCheckSummary> summary = copy_store(from, to, report_problem);
  if (!summary.ok()) return refuse(summary.error());
  std::printf("%s %llu tasks to %s, checked\n", done,
              static_cast<unsigned long long>(summary->tasks), to.c_str());
  return ExitCode::done;
}
ExitCode run_backup(const Paths& paths) {
  return run_copy(paths.data, paths.other, "copied");
}
ExitCode run_restore(const Paths& paths) {
  return run_copy(paths.other, paths.data, "restored");
}

ExitCode run_compact(const Paths& paths) {
  const Result<Compaction> done = compact(paths.data, report_problem);
  if (!done.ok()) return refuse(done.error());
  std::printf("compacted from %s to %s\n", megabytes(done->before).c_str(),
              megabytes(done->after).c_str());
  return ExitCode::done;
}

struct Tool {
  const char* name;
  const char* description;
  const char* other;  // the second directory's flag; null: there is none
  const char* other_help;
  ExitCode (*run)(const Paths&);
};
constexpr std::array<Tool, 5> kTools = {{
    {"fsck", "Checks a data directory: every checksum, the log against the tables, the books.",
     nullptr, nullptr, run_fsck},
    {"export", "Prints every task of a data directory as JSON lines.", nullptr, nullptr,
     run_export},
    {"backup", "Copies a data directory, also while its broker runs, and checks the copy.", "--to",
     "Directory for the copy; made when missing", run_backup},
    {"restore", "Makes a data directory from a backup, checked first.", "--from",
     "Directory of the backup", run_restore},
    {"compact", "Gives unused disk space back; the broker must not run.", nullptr, nullptr,
     run_compact},
}};

// A process of its own: LMDB has no checksums of its pages, and where their structure is damaged,
// reading may end the process.
ExitCode run_guarded(const Tool& tool, const Paths& paths) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return refuse(Error{ErrorCode::io, std::string("fork: ") + std::strerror(errno)});
  if (child == 0) {
    const ExitCode code = tool.run(paths);
    std::fflush(nullptr);
    ::_exit(static_cast<int>(code));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return static_cast<ExitCode>(WEXITSTATUS(status));
  return refuse(Error{ErrorCode::corrupt,
                      "the structure of data.mdb is damaged: reading it ended with signal " +
                          std::to_string(WTERMSIG(status)) + "; restore it from a backup"});
}

ExitCode run(const Tool& tool, int argc, const char* const* argv) {
  Paths paths;
  std::string log_level;
  CLI::App app{tool.description, std::string("millrace-broker ") + tool.name};
  host::add_common_options(app, log_level);
  app.add_option("--data", paths.data, "Data directory")->required();
  if (tool.other != nullptr) app.add_option(tool.other, paths.other, tool.other_help)->required();
  const host::ParseResult parsed = host::parse_command_line(app, argc, argv);
  return parsed.proceed ? run_guarded(tool, paths) : parsed.exit_now;
}

}  // namespace

std::optional<ExitCode> run_store_tool(int argc, const char* const* argv) {
  if (argc < 2) return std::nullopt;
  for (const Tool& tool : kTools) {
    if (std::string_view(argv[1]) == tool.name) return run(tool, argc - 1, argv + 1);
  }
  return std::nullopt;
}

const char* list_of_store_tools() {
  return "Tools, each with its own --help: millrace-broker fsck | export | backup | restore | "
         "compact";
}

}  // namespace millrace::broker
