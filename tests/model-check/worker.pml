/* A worker: its session (worker/cpp) and what its handlers do. */

/* ---- what it hears ------------------------------------------------------------------------------ */

inline drop_leases(w) {
  at_lease = 0;
  do
  :: at_lease == LEASES -> break
  :: at_lease < LEASES ->
     if
     :: has(argument, at_lease) -> worker[w].lease[at_lease] = FREE
     :: else
     fi;
     at_lease++
  od
}

/* P3, P21: "accepted" means that the task's end is on the disk, with this very result; "stale" that it
 * is not. */
inline check_answer(w) {
  if
  :: worker[w].lease[argument] == DONE ->
     at_task = task_of(argument);
     promise(3, word == (disk[at_task].state == SUCCEEDED &&
                         disk[at_task].fence == fence_of(argument)))
  :: else
  fi
}

/* P4: never more executions than attempts. */
inline start(w) {
  worker[w].lease[argument] = RUNNING;
  promise(4, executions[task_of(argument)] < ATTEMPTS);
  executions[task_of(argument)]++
}

inline on_broker_message(w) {
  if
  :: kind == WELCOME ->
     worker[w].open = true;
     drop_leases(w)
  :: kind == DISPATCH ->
     if
#ifdef MUTANT_DISPATCH_WITHOUT_SESSION
     :: worker[w].lease[argument] == FREE -> start(w)
#else
     :: worker[w].open && worker[w].lease[argument] == FREE -> start(w)
#endif
     :: else
     fi
  :: kind == COMPLETED ->
     check_answer(w);
     if
     :: is_report(worker[w].lease[argument]) -> worker[w].lease[argument] = FREE
     :: else
     fi
  :: kind == STOP ->
     if
     :: word == NOT_WANTED -> worker[w].lease[argument] = FREE
     :: word == ON_CANCEL && worker[w].lease[argument] == RUNNING ->
        worker[w].lease[argument] = STOPPED
     :: else
     fi
  fi
}

/* ---- what it says ------------------------------------------------------------------------------- */

/* An attempt's end is one step with its first report: until that is sent nobody can tell. */
inline report(w, about, outcome) {
  worker[w].lease[about] = outcome;
  to_broker[w]!COMPLETE, about, outcome, 1
#ifdef MUTANT_REPORT_FORGOTTEN_WHEN_SENT
  ; worker[w].lease[about] = FREE
#endif
}

/* Until its Welcome comes it discards dispatches: those under way go already here. */
inline forget_unheeded(w) {
  count = len(to_worker[w]);
  each = 0;
  at_lease = 0;
  do
  :: each == count -> break
  :: each < count ->
     to_worker[w]?kind, argument, word;
     if
#if defined(MUTANT_OLD_WELCOME_OPENS) || defined(MUTANT_DISPATCH_WITHOUT_SESSION)
     :: true -> to_worker[w]!kind, argument, word
#endif
     :: kind == STOP || kind == COMPLETED -> to_worker[w]!kind, argument, word
     :: else -> at_lease = at_lease + (each >= count - waiting_for(w))
     fi;
     each++
  od;
#ifdef GROUP_COMMIT
  waiting[w] = waiting[w] - at_lease
#else
  skip
#endif
}

inline say_hello(w) {
  worker[w].open = false;
  forget_unheeded(w);
  age_hellos(w);
  set = 0;
  at_lease = 0;
  do
  :: at_lease == LEASES -> break
  :: at_lease < LEASES ->
     if
     :: worker[w].lease[at_lease] != FREE -> set = set | (1 << at_lease)
     :: else
     fi;
     at_lease++
  od;
  to_broker[w]!HELLO, set, 0, 1;
  set = 0
}

/* Its DEALER's old connection may still have messages for the broker; what came for it is gone. */
inline reconnect(w, kept) {
  end_connection(w, kept);
  empty_to_worker(w);
  say_hello(w)
}

inline die(w, kept) {
  end_connection(w, kept);
  empty_to_worker(w);
  end_process(w)
}

inline end_process(w) {
  worker[w].alive = false;
  worker[w].open = false;
  at_lease = 0;
  do
  :: at_lease == LEASES -> break
  :: at_lease < LEASES -> worker[w].lease[at_lease] = FREE; at_lease++
  od
}

/* Everything has ended here: its unanswered reports once more, and the goodbye. */
inline say_goodbye(w) {
#ifndef MUTANT_GOODBYE_WITHOUT_REPORTS
  at_lease = 0;
  do
  :: at_lease == LEASES -> break
  :: at_lease < LEASES ->
     if
     :: worker[w].lease[at_lease] != FREE -> to_broker[w]!COMPLETE, at_lease, worker[w].lease[at_lease], 1
     :: else
     fi;
     at_lease++
  od;
#endif
  to_broker[w]!GOODBYE, 0, 0, 1;
  empty_to_worker(w);
  end_process(w)
}
