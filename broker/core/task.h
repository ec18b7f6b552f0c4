// A task in the broker's memory: its persistent record and what only this process needs. The
// payload is never here.
#pragma once

#include <cstdint>

#include "broker/core/effect.h"

namespace millrace::broker {

// Handles into the core's tables; 0 is none. Stable while the thing exists, then reused.
using TaskIndex = Number<struct TaskIndexTag, std::uint32_t>;
using WorkerIndex = Number<struct WorkerIndexTag, std::uint32_t>;
using ClientIndex = Number<struct ClientIndexTag, std::uint32_t>;
using WatchIndex = Number<struct WatchIndexTag, std::uint32_t>;

struct Task {
  // Persistent: written whenever it changes. If you change TaskRecord, schemas/record.fbs and its
  // version change with it.
  TaskRecord record;

  // Only in memory.
  // The one timer a task has: delayed: due or expiry; pending: expiry; in progress: the attempt's
  // deadline; ended: the end of retention. none: no timer.
  Time timer;
  Time since;                        // pending: since when; in progress: when the lease was granted
  std::uint32_t timer_position = 0;  // in its DeadlineHeap, from 1; 0: in none
  // Neighbours in the one list a task is in: its queue's delayed, pending (unless in_returned) or
  // dead list; its worker's leases or the orphans; the retained list.
  TaskIndex previous;
  TaskIndex next;
  WorkerIndex worker;      // in progress: who holds the lease; none: nobody since the restart
  WatchIndex first_watch;  // clients that wait for the end
  bool exists = false;
  bool dirty = false;        // the record is to be written this turn
  bool in_returned = false;  // pending in its lane's returned set instead of the fifo
  std::uint8_t progress_percent = 0;
};

}  // namespace millrace::broker
