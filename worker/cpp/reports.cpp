#include "worker/cpp/reports.h"

#include <utility>

namespace millrace::worker {
namespace {

// About what a completion takes in a message, both frames together; never less.
std::uint64_t message_bytes(const Completion& completion) {
  constexpr std::uint64_t kEntry = 96;  // ids, lengths, table and padding
  return completion.result.size() + completion.error.size() + kEntry;
}

}  // namespace

void Reports::add(Completion completion) {
  const HeldLease lease{completion.task, completion.fence};
  auto [slot, inserted] = index_.try_emplace(lease);
  if (!inserted) return;
  slot.value().report = unsent_.insert(unsent_.end(), Report{std::move(completion), Time()});
}

bool Reports::settle(const HeldLease& lease) {
  const auto found = index_.find(lease);
  if (found == index_.end()) return false;
  (found->second.sent ? sent_ : unsent_).erase(found->second.report);
  index_.erase(found);
  return true;
}

std::vector<Completion> Reports::take_batch(std::size_t items_max, ByteCount bytes_max, Time now) {
  std::vector<Completion> batch;
  std::uint64_t bytes = 0;
  while (!unsent_.empty() && batch.size() < items_max) {
    Report& report = unsent_.front();
    bytes += message_bytes(report.completion);
    if (!batch.empty() && bytes > bytes_max.value) break;
    batch.push_back(report.completion);
    report.sent_at = now;
    index_.find(HeldLease{report.completion.task, report.completion.fence}).value().sent = true;
    sent_.splice(sent_.end(), unsent_, unsent_.begin());
  }
  return batch;
}

void Reports::repeat_sent_until(Time before) {
  std::list<Report> again;
  while (!sent_.empty() && sent_.front().sent_at <= before) {
    const Completion& completion = sent_.front().completion;
    index_.find(HeldLease{completion.task, completion.fence}).value().sent = false;
    again.splice(again.end(), sent_, sent_.begin());
  }
  unsent_.splice(unsent_.begin(), again);
}

std::vector<HeldLease> Reports::leases() const {
  std::vector<HeldLease> leases;
  leases.reserve(index_.size());
  for (const std::list<Report>* list : {&sent_, &unsent_}) {
    for (const Report& report : *list) {
      leases.push_back(HeldLease{report.completion.task, report.completion.fence});
    }
  }
  return leases;
}

}  // namespace millrace::worker
