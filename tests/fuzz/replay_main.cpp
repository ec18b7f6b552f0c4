// Runs a fuzz target once on each input of a packed corpus, and on each file of a folder: the
// corpus and what once found a defect as an ordinary test, for any compiler. What is not there is
// empty.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Inputs behind one another, each after its length, 2 bytes little-endian; see fuzz.py.
std::vector<Bytes> inputs_of(const std::filesystem::path& corpus) {
  const Bytes packed = bytes_of(corpus);
  std::vector<Bytes> inputs;
  for (std::size_t at = 0; at + 2 <= packed.size();) {
    const std::size_t length = packed[at] + packed[at + 1] * 256U;
    const auto begin = packed.begin() + static_cast<std::ptrdiff_t>(at + 2);
    if (length > packed.size() - at - 2) break;
    inputs.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(length));
    at += 2 + length;
  }
  return inputs;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The input is named before it runs, so that a crash has a name.
void replay(const std::string& name, const Bytes& input) {
  std::printf("%s\n", name.c_str());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::size_t replay_all(const std::filesystem::path& path) {
  std::size_t replayed = 0;
  if (std::filesystem::is_directory(path)) {
    for (const std::filesystem::path& file : files_in(path)) {
      replay(file.string(), bytes_of(file));
      ++replayed;
    }
  } else if (std::filesystem::exists(path)) {
    for (const Bytes& input : inputs_of(path)) {
      replay(path.string() + ", input " + std::to_string(++replayed), input);
    }
  }
  return replayed;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t replayed = 0;
  for (int i = 1; i < argc; ++i) replayed += replay_all(argv[i]);
  LLVMFuzzerTestOneInput(nullptr, 0);
  std::printf("%zu inputs\n", replayed);
  return replayed > 0 ? 0 : 1;
}
