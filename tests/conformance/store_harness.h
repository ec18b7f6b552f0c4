// What the store suite needs beside the seam itself: a way to make things durable and to restart.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/store/store.h"

namespace millrace::testing {

class StoreHarness {
 public:
  virtual ~StoreHarness() = default;

  virtual broker::Store& store() = 0;
  // Returns when everything submitted is durable.
  virtual void commit() = 0;
  // The process ends and starts again on the same data.
  virtual void restart() = 0;
};

// Makes a fresh, empty store for each test; the name tells test instances apart.
struct StoreKind {
  std::string name;
  std::unique_ptr<StoreHarness> (*make)();
};
std::vector<StoreKind> all_store_kinds();

}  // namespace millrace::testing
