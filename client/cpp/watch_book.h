// The tasks whose end is awaited, and when the broker was last asked about each. Pure.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "client/cpp/session_types.h"
#include "common/base/flat_map.h"

namespace millrace::client {

class WatchBook {
 public:
  explicit WatchBook(const SessionSettings& settings) : settings_(settings) {}

  void set_limits(const PeerLimits& limits) { settings_.limits = limits; }

  // Awaits `id` and asks the broker for it.
  void add(const TaskId& id);
  // Awaits `id`, which is being submitted with the wish to watch: asked for only if it stays
  // unheard.
  void expect(const TaskId& id);
  // The submit of `id` was accepted: from now on the broker watches it.
  void confirm(const TaskId& id, Time now);
  // The submit of `id` failed: nothing is to be awaited, unless somebody asked for it with add.
  void dismiss(const TaskId& id);
  // False when `id` is not awaited (any more).
  bool remove(const TaskId& id);

  // A Finished came.
  void heard(Time now) { last_heard_ = now; }
  // Takes the answer when it is to a Watch of this book; the unknown tasks are told as events.
  bool answer(const Watching& watching, Actions& actions);
  bool refuse(const Refused& refused, Time now);
  // The connection is new: the broker must be asked again about every task.
  void ask_all_again();

  void send_due(Time now, RequestCounter& requests, Actions& actions);
  Time next_send() const;

  bool empty() const { return awaited_.empty(); }
  std::size_t size() const { return awaited_.size(); }

 private:
  enum class Phase : std::uint8_t { submitting, fresh, asked };
  struct Awaited {
    Phase phase = Phase::fresh;
    Time asked;
  };
  struct Question {
    std::vector<TaskId> tasks;
    Time give_up;
  };
  struct Asked {
    Time at;
    TaskId id;
  };

  Time due(const Asked& asked) const;
  bool is_current(const Asked& asked) const;
  void drop_stale_front();
  std::vector<TaskId> take_due(Time now);
  void mark_asked(const TaskId& id, Time now);

  SessionSettings settings_;
  FlatMap<TaskId, Awaited> awaited_;         // never iterated
  std::deque<TaskId> fresh_;                 // to be asked about at once
  std::deque<Asked> asked_;                  // oldest first; entries may be out of date
  std::map<RequestId, Question> questions_;  // unanswered
  Time last_heard_;
  Time hold_until_;
};

}  // namespace millrace::client
