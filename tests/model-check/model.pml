/* The task protocol of docs/protocol.md, as a model for Spin. README.md says what is in it, what is
 * left out, and how far it has been searched. */
#include "state.pml"
#include "channels.pml"
#include "broker.pml"
#include "worker.pml"

/* Nothing is under way to or from a worker. */
#define is_idle(w) (len(to_broker[w]) == 0 && len(to_worker[w]) == 0)

/* Each step is one turn of the broker or of a worker: it happens as a whole, and any of those that
 * can happen may be next. P19: once there are no faults, a state in which nothing can happen, but not
 * every task has ended, is a deadlock, and Spin reports it. */

#define holds(w, t) (worker[w].alive && worker[w].lease[lease_of(t, task[t].fence)] != FREE)
#define returned(w, t) (peer[w] != UNKNOWN && holds(w, t))
#if WORKERS == 1
#define others_live(w) false
#define is_held(t) holds(0, t)
#define has_returned(t) returned(0, t)
#elif WORKERS == 2
#define others_live(w) worker[1 - (w)].alive
#define is_held(t) (holds(0, t) || holds(1, t))
#define has_returned(t) (returned(0, t) || returned(1, t))
#else
#define others_live(w) (worker[((w) + 1) % 3].alive || worker[((w) + 2) % 3].alive)
#define is_held(t) (holds(0, t) || holds(1, t) || holds(2, t))
#define has_returned(t) (returned(0, t) || returned(1, t) || returned(2, t))
#endif

/* A task that the model has no fence left for is left out. */
#define has_ended(t) (is_end(task[t].state) || task[t].fence == FENCES)
#if TASKS == 1
#define ALL_ENDED has_ended(0)
#else
#define ALL_ENDED (has_ended(0) && has_ended(1))
#endif

/* ---- the broker --------------------------------------------------------------------------------- */

#define IS_LEASED(t) (task[t].state == IN_PROGRESS && holder[t] != NOBODY)
#define IS_ORPHAN(t) (task[t].state == IN_PROGRESS && holder[t] == NOBODY)

/* A step that `need` calls for; without need it is a fault. */
#define STEP(enabled, need) \
  d_step { (enabled) && ((need) || faults > 0) -> \
    if \
    :: need \
    :: else -> spend \
    fi

#define OF_CONTENT(t, c) \
  :: STEP(true, task[t].state == ABSENT || (task[t].content == c && !is_acknowledged(t, c))); \
       printf("client: submits task %d, content %d\n", t, c); \
       on_submit(t, c); check_acknowledged(); done() }

/* A cancel, the end of an attempt's time, the end of the adoption window. */
#define OF_TASK(t) \
  :: STEP(task[t].state != ABSENT, !is_end(task[t].state) && !task[t].cancel); \
       printf("client: cancels task %d\n", t); \
       on_cancel(t); check_acknowledged(); done() } \
  :: STEP(IS_LEASED(t), \
          !is_held(t) && is_idle(holder[t])); \
       printf("broker: task %d times out on worker %d\n", t, holder[t]); \
       entitled[t] = false; \
       say(holder[t], STOP, lease_of(t, task[t].fence), NOT_WANTED); \
       fail_attempt(t, false); done() } \
  :: STEP(IS_ORPHAN(t) && orphans_end, !is_held(t)); \
       printf("broker: nobody has claimed task %d\n", t); \
       entitled[t] = has_returned(t); \
       fail_attempt(t, false); done() }

#define OF_PAIR(t, w) \
  :: d_step { \
       task[t].state == PENDING && task[t].fence < FENCES && peer[w] != UNKNOWN && \
       (faults > 0 || (worker[w].open && peer[w] == CURRENT)) -> \
       printf("broker: gives task %d, fence %d, to worker %d\n", t, task[t].fence + 1, w); \
       grant(t, w); done() }

#define FROM_WORKER(w) \
  :: d_step { \
       to_broker[w]??kind, argument, word, 1 -> \
       current = 1; \
       printf("broker: hears %e %d %d of worker %d\n", kind, argument, word, w); \
       on_worker_message(w); done() } \
  STRAY_FROM_WORKER(w) \
  :: STEP(peer[w] != UNKNOWN, !worker[w].alive); \
       printf("broker: worker %d is silent\n", w); \
       lose_worker(w); done() }

#ifdef STRAYS
#define STRAY_FROM_WORKER(w) \
  :: d_step { \
       to_broker[w]??kind, argument, word, 0 -> \
       current = 0; \
       printf("broker: hears %e %d %d of worker %d, late\n", kind, argument, word, w); \
       on_worker_message(w); done() }
#else
#define STRAY_FROM_WORKER(w)
#endif

#ifdef MUTANT_ORPHANS_WAIT_FOR_EVER
#define orphans_end false
#else
#define orphans_end true
#endif

active proctype broker() {
  do
  OF_CONTENT(0, 0)
  OF_TASK(0)
  OF_PAIR(0, 0)
  FROM_WORKER(0)
#if CONTENTS > 1
  OF_CONTENT(0, 1)
#endif
#if WORKERS > 1
  OF_PAIR(0, 1)
  FROM_WORKER(1)
#endif
#if WORKERS > 2
  OF_PAIR(0, 2)
  FROM_WORKER(2)
#endif
#if TASKS > 1
  OF_CONTENT(1, 0)
  OF_TASK(1)
  OF_PAIR(1, 0)
#if CONTENTS > 1
  OF_CONTENT(1, 1)
#endif
#if WORKERS > 1
  OF_PAIR(1, 1)
#endif
#if WORKERS > 2
  OF_PAIR(1, 2)
#endif
#endif
#ifdef GROUP_COMMIT
  :: d_step { dirty -> printf("broker: commits\n"); commit(); done() }
#endif
  :: STEP(faults > 0, false); printf("broker: restarts\n"); restart(); done() }
  :: d_step { faults > 0 -> printf("no faults from here on\n"); faults = 0 }
  :: d_step { faults == 0 && ALL_ENDED -> skip }
  od
}

/* ---- workers ------------------------------------------------------------------------------------ */

#ifdef MUTANT_RELEASE_AFTER_START
#define ABANDON(l) \
  :: d_step { \
       worker[w].lease[l] == RUNNING && may_report(w) -> \
       printf("worker %d: hands task %d back\n", w, task_of(l)); \
       report(w, l, RELEASED); done() }
#else
#define ABANDON(l)
#endif

#define may_report(w) (worker[w].open && len(to_broker[w]) < DEPTH)

/* What a worker does with one lease. */
#define OF_LEASE(l) \
  :: d_step { \
       worker[w].lease[l] == RUNNING && may_report(w) -> \
       printf("worker %d: has done task %d, fence %d\n", w, task_of(l), fence_of(l)); \
       report(w, l, DONE); done() } \
  :: d_step { \
       worker[w].lease[l] == RUNNING && may_report(w) -> \
       printf("worker %d: has failed task %d, fence %d\n", w, task_of(l), fence_of(l)); \
       report(w, l, FAILED); done() } \
  :: STEP(is_report(worker[w].lease[l]) && may_report(w), peer[w] == CURRENT && is_idle(w)); \
       printf("worker %d: reports task %d, fence %d\n", w, task_of(l), fence_of(l)); \
       report(w, l, worker[w].lease[l]); done() } \
  ABANDON(l)

/* A connection can end at any time, with any number of the last messages lost. With STRAYS the others
 * may arrive after those of the next connection; without, they have arrived already. */
#define OF_CONNECTION(kept) \
  :: STEP(faults > 0 && worker[w].alive && len(to_broker[w]) >= kept && kept < DEPTH, false); \
       printf("worker %d: reconnects; %d of its messages will arrive\n", w, kept); \
       reconnect(w, kept); done() } \
  :: STEP(faults > 0 && worker[w].alive && others_live(w) && len(to_broker[w]) >= kept, false); \
       printf("worker %d: dies; %d of its messages will arrive\n", w, kept); \
       die(w, kept); done() }

/* A worker leaves when all it had has ended, and there is room for its last reports. */
#define at_rest(w, l) (worker[w].lease[l] == FREE || is_report(worker[w].lease[l]))
#define reported(w, l) is_report(worker[w].lease[l])
#if LEASES == 3
#define all_at_rest(w) (at_rest(w, 0) && at_rest(w, 1) && at_rest(w, 2))
#define reports_of(w) (reported(w, 0) + reported(w, 1) + reported(w, 2))
#elif LEASES == 4
#define all_at_rest(w) (at_rest(w, 0) && at_rest(w, 1) && at_rest(w, 2) && at_rest(w, 3))
#define reports_of(w) (reported(w, 0) + reported(w, 1) + reported(w, 2) + reported(w, 3))
#elif LEASES == 6
#define all_at_rest(w) \
  (at_rest(w, 0) && at_rest(w, 1) && at_rest(w, 2) && at_rest(w, 3) && at_rest(w, 4) && at_rest(w, 5))
#define reports_of(w) \
  (reported(w, 0) + reported(w, 1) + reported(w, 2) + reported(w, 3) + reported(w, 4) + reported(w, 5))
#elif LEASES == 8
#define all_at_rest(w) \
  (at_rest(w, 0) && at_rest(w, 1) && at_rest(w, 2) && at_rest(w, 3) && at_rest(w, 4) && \
   at_rest(w, 5) && at_rest(w, 6) && at_rest(w, 7))
#define reports_of(w) \
  (reported(w, 0) + reported(w, 1) + reported(w, 2) + reported(w, 3) + reported(w, 4) + \
   reported(w, 5) + reported(w, 6) + reported(w, 7))
#endif

active [WORKERS] proctype life() {
  byte w = _pid - 1;
  do
  :: d_step {
       is_heard(w) -> to_worker[w]?kind, argument, word;
       printf("worker %d: hears %e %d %d\n", w, kind, argument, word);
       on_broker_message(w); done() }
  :: d_step {
       is_heard(w) && to_worker[w]?[DISPATCH, _, _] && may_report(w) ->
       to_worker[w]?kind, argument, word;
       printf("worker %d: hands task %d back\n", w, task_of(argument));
       report(w, argument, RELEASED); done() }
  :: STEP(is_heard(w) && faults > 0, false);
       to_worker[w]?kind, argument, word;
       printf("worker %d: %e %d is lost\n", w, kind, argument); done() }
  :: STEP(worker[w].alive && len(to_broker[w]) < DEPTH,
          is_idle(w) && (!worker[w].open || peer[w] != CURRENT));
       printf("worker %d: says hello\n", w);
       say_hello(w); done() }
  OF_LEASE(0)
#if LEASES > 1
  OF_LEASE(1)
#endif
#if LEASES > 2
  OF_LEASE(2)
#endif
#if LEASES > 3
  OF_LEASE(3)
#endif
#if LEASES > 4
  OF_LEASE(4)
#endif
#if LEASES > 5
  OF_LEASE(5)
#endif
#if LEASES > 6
  OF_LEASE(6)
#endif
#if LEASES > 7
  OF_LEASE(7)
#endif
  OF_CONNECTION(0)
#ifdef STRAYS
  OF_CONNECTION(1)
#if DEPTH > 1
  OF_CONNECTION(2)
#endif
#endif
  :: d_step {
       worker[w].alive && worker[w].open && others_live(w) && all_at_rest(w) &&
       len(to_broker[w]) + reports_of(w) < DEPTH ->
       printf("worker %d: goodbye\n", w); say_goodbye(w); done() }
  od
}

/* P19 as a formula too, for the search for cycles: when faults stop, every task ends. */
#ifdef LIVENESS
ltl ends { [] (faults == 0 -> <> (ALL_ENDED)) }
#endif
