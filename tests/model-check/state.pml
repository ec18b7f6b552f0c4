/* What there is: tasks in the broker's memory and on its disk, workers, and the messages between.
 *
 * Sizes are given with -D:
 *   TASKS x WORKERS x ATTEMPTS   attempts are max_attempts of every task
 *   FENCES        leases a task may ever get; above ATTEMPTS, because one that is handed back or that
 *                 never arrived costs no attempt. A task that has used them all is not leased again
 *   DEPTH         messages under way from, and to, one worker
 *   GROUP_COMMIT  the broker's memory runs ahead of its disk, and what it says waits for the sync.
 *                 Without it every step is durable at once. The same is reached either way: a
 *                 decision that a crash takes back was told to nobody, as if its cause had been lost.
 *   CONTENTS      2: somebody else submits other content under the same ids
 *   FAULTS        at most so many in a run; without it any number
 *   STRAYS        messages of a broken connection may arrive after those of the next one
 */
#ifndef TASKS
#define TASKS 1
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef FENCES
#define FENCES (ATTEMPTS + 1)
#endif
#ifndef DEPTH
#define DEPTH 2
#endif
#ifndef CONTENTS
#define CONTENTS 1
#endif

/* ---- tasks -------------------------------------------------------------------------------------- */

/* States. Delayed is pending here: there is no time, only what may happen next. */
#define ABSENT 0
#define PENDING 1
#define IN_PROGRESS 2
#define SUCCEEDED 3
#define DEAD 4
#define CANCELLED 5
#define is_end(state) ((state) >= SUCCEEDED)

typedef Record {
  byte state;
  byte attempts; /* that count */
  byte fence;    /* the newest; 0 before the first lease */
  bool failed;   /* the last attempt was reported as failed */
  bool cancel;   /* a cancel waits for the running attempt */
  bit content
};
Record task[TASKS]; /* in memory */

#ifdef GROUP_COMMIT
Record disk[TASKS]; /* what a crash leaves */
bool dirty;         /* memory is ahead of the disk, or something waits to be said */
bool ack_waits[TASKS * 2];
bool cancel_waits[TASKS];
byte waiting[WORKERS]; /* messages at the end of to_worker[] that wait for the sync */
#else
#define disk task
#endif

#define NOBODY WORKERS
byte holder[TASKS] = NOBODY; /* the worker of a lease; NOBODY after a restart, until it is taken up again */

/* A lease is a task and a fence, as one number; a set of leases is a byte. */
#define LEASES (TASKS * FENCES)
#define lease_of(t, f) ((t) * FENCES + (f) - 1)
#define task_of(l) ((l) / FENCES)
#define fence_of(l) (((l) % FENCES) + 1)
#define has(set, l) (((set) >> (l)) & 1)

/* ---- workers ------------------------------------------------------------------------------------ */

/* What a worker does with a lease. From DONE on the attempt has ended, and its report is kept. That it
 * waits for a slot is left out: the broker cannot tell, and the count of executions only grows by it. */
#define FREE 0
#define RUNNING 1
#define DONE 2
#define FAILED 3
#define RELEASED 4
#define STOPPED 5
#define is_report(state) ((state) >= DONE)

typedef Worker {
  bool alive = true;
  bool open; /* it has the Welcome to its newest Hello */
  byte lease[LEASES]
};
Worker worker[WORKERS];

/* ---- the broker's knowledge of workers ---------------------------------------------------------- */

/* The connection that the broker knows a worker by. */
#define UNKNOWN 0
#define CURRENT 1
#define EARLIER 2 /* one that the worker does not read any more */
byte peer[WORKERS];

/* ---- messages ----------------------------------------------------------------------------------- */

/* To the broker: kind, lease or set of leases, outcome, and whether it comes by the worker's current
 * connection. One connection keeps the order; between two there is none. The end of what was sent on
 * a broken connection is lost. */
mtype = { HELLO, OLD_HELLO, OVERTAKEN_HELLO, COMPLETE, GOODBYE };
chan to_broker[WORKERS] = [DEPTH] of { mtype, byte, byte, byte };

/* To a worker: kind, lease or set of leases, and a word more. Any of them may be lost. */
mtype = { WELCOME, DISPATCH, COMPLETED, STOP };
chan to_worker[WORKERS] = [DEPTH] of { mtype, byte, byte };
#define REFUSED_AS_STALE 0
#define ACCEPTED 1
#define NOT_WANTED 0 /* causes of STOP: stale or timed out, */
#define ON_CANCEL 1  /* and cancelled */

/* ---- faults ------------------------------------------------------------------------------------- */

/* Faults that may yet happen: any number until they stop for good, or at most FAULTS of them. What only
 * repeats, or happens without need, counts as one, so that every run without faults comes to an end. */
#ifdef FAULTS
byte faults = FAULTS;
#define spend faults--
#else
bit faults = 1;
#define spend skip
#endif

/* ---- the promises, and what they remember --------------------------------------------------------------- */

/* The number is in what Spin reports when it finds the promise broken. */
#define promise(number, condition) assert((condition) || number == 0)

bool acknowledged[TASKS * 2]; /* a client was told that the task, with this content, is accepted */
bool cancel_confirmed[TASKS];
byte executions[TASKS];
bool entitled[TASKS]; /* nothing has happened that may cost the newest lease's holder its lease */

/* Scratch: zero between two steps, so that it adds no states. */
byte each, count, at_task, at_lease, set, stale, argument, word, current, accepted;
mtype kind;

inline done() {
  each = 0;
  count = 0;
  at_task = 0;
  at_lease = 0;
  set = 0;
  stale = 0;
  argument = 0;
  word = 0;
  current = 0;
  accepted = 0;
  kind = 0
}

#define content_of(t, c) ((t) * 2 + (c))
#ifdef GROUP_COMMIT
#define is_acknowledged(t, c) (acknowledged[content_of(t, c)] || ack_waits[content_of(t, c)])
#else
#define is_acknowledged(t, c) acknowledged[content_of(t, c)]
#endif
