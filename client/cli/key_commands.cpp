// millrace keygen FOLDER [--add NAME --role ROLE]
#include <filesystem>
#include <memory>

#include "client/cli/command.h"
#include "common/keys/key_set.h"

namespace millrace::cli {
namespace {

struct KeyOptions {
  std::string folder;
  std::string name;  // empty: a whole set
  std::string role = "client";
};

int show_set(CommandContext& context, const KeyOptions& options) {
  const std::string in = (std::filesystem::path(options.folder) / "").string();
  print_line("on the broker's machine   " + in + keys::kBrokerKeyFile + " and " + in +
             keys::kAllowlistFile + ":");
  print_line("                            millrace-broker --keys " + options.folder + " ...");
  print_line("where workers run         " + in + "worker.key:");
  print_line("                            millrace-worker --key worker.key ...");
  print_line("where tasks are submitted " + in + "client.key:");
  print_line("                            millrace --key client.key submit ...");
  print_line("where you operate it      " + in + "admin.key:");
  print_line("                            millrace --key admin.key queue pause ...");
  print_line("Each file is a secret but the allowlist: copy it only where it is needed.");
  return context.finish(host::ExitCode::done);
}

int run_keygen(CommandContext& context, const KeyOptions& options) {
  if (options.name.empty()) {
    const Status made = keys::make_key_set(options.folder);
    return made ? show_set(context, options) : context.fail(made.error());
  }
  const Status added = keys::add_key(options.folder, options.name, options.role);
  if (!added) return context.fail(added.error());
  const std::filesystem::path file =
      std::filesystem::path(options.folder) / (options.name + ".key");
  print_line(
      file.string() + " is a " + options.role +
      "'s, and in the allowlist; a broker that reads this folder lets it in within a second");
  return context.finish(host::ExitCode::done);
}

}  // namespace

void add_key_commands(CLI::App& app, SelectedCommand& selected) {
  const auto options = std::make_shared<KeyOptions>();
  CLI::App* command = app.add_subcommand(
      "keygen", "Make the keys of a broker and its peers, or one more (docs/security.md)");
  command->fallthrough();
  command->add_option("FOLDER", options->folder, "Where they are, or will be")->required();
  command->add_option("--add", options->name, "Add one key of this name to the set");
  command->add_option("--role", options->role, "Of the added key: client, worker or admin")
      ->capture_default_str();
  command->callback([options, &selected] {
    selected = [options](CommandContext& context) { return run_keygen(context, *options); };
  });
}

}  // namespace millrace::cli
