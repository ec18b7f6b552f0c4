#include "broker/store/log_appender.h"

#include "broker/store/layout.h"
#include "common/base/check.h"

namespace millrace::broker {
namespace {

// LMDB's header of a page, which a value in a page of its own shares, and what a key costs.
constexpr std::size_t kPageHeaderBytes = 16;
constexpr std::size_t kNodeBytes = 18;

}  // namespace

// A value that does not fit a page twice has a page of its own.
std::uint32_t stored_bytes_of_entry(std::size_t entry_bytes, std::size_t page_bytes) {
  const bool shares_page = entry_bytes + kNodeBytes <= (page_bytes - kPageHeaderBytes) / 2;
  return static_cast<std::uint32_t>((shares_page ? entry_bytes : page_bytes) + kNodeBytes);
}

LogAppender::LogAppender(MDB_dbi log, std::size_t page_bytes, Epoch epoch, EntryNumber next,
                         BatchNumber last)
    : log_(log),
      page_bytes_(page_bytes),
      epoch_(epoch),
      batch_(last),
      written_batch_(last),
      next_(next),
      builder_(page_bytes - kPageHeaderBytes) {}

Status LogAppender::add(lmdb::Transaction& transaction, const LogRecord& record) {
  if (!builder_.add(record)) {
    if (Status written = write_entry(transaction); !written.ok()) return written;
    MILLRACE_CHECK(builder_.add(record), "a record of the log fits an empty entry");
  }
  update_.changes.push_back({record.sequence, record.kind});
  return Done{};
}

Status LogAppender::finish(lmdb::Transaction& transaction) {
  if (builder_.empty() && written_batch_ == batch_) return Done{};
  if (builder_.empty()) {
    const Status added = add(transaction, make_record(RecordKind::batch, TaskSequence(), {}));
    MILLRACE_CHECK(added.ok(), "an empty entry takes a record without being written");
  }
  return write_entry(transaction);
}

Status LogAppender::write_entry(lmdb::Transaction& transaction) {
  const std::size_t size = builder_.size();
  const auto room = transaction.reserve(log_, Key::of_entry(next_).view(), size, MDB_APPEND);
  if (!room.ok()) return room.error();
  update_.entries.push_back({next_, stored_bytes_of_entry(size, page_bytes_), builder_.records()});
  builder_.finish(next_, epoch_, batch_, *room);
  written_batch_ = batch_;
  next_ = next_.next();
  return Done{};
}

}  // namespace millrace::broker
