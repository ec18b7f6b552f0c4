#include "broker/spec_cache.h"

namespace millrace::broker {

void SpecCache::keep(TaskSequence sequence, const SharedBytes& spec) {
  if (spec.size() > kSpecBytesMost) return;
  bytes_ = bytes_ + ByteCount(spec.size());
  specs_.emplace(sequence, SharedBytes::copy_of(spec.view()));
  order_.push_back(sequence);
  while (bytes_ > bytes_max_ || order_.size() > 2 * specs_.size() + 1'000) {
    take(order_.front());
    order_.pop_front();
  }
}

SharedBytes SpecCache::take(TaskSequence sequence) {
  const auto found = specs_.find(sequence);
  if (found == specs_.end()) return {};
  SharedBytes spec = std::move(found->second);
  specs_.erase(found);
  bytes_ = bytes_ - ByteCount(spec.size());
  return spec;
}

}  // namespace millrace::broker
