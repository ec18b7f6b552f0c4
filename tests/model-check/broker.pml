/* The broker: life_cycle.cpp, on_client.cpp, on_worker.cpp, on_time.cpp and restore_task in
 * broker/core, and the outbox that lets nothing out before it is durable. */

/* ---- the life of a task ------------------------------------------------------------------------- */

/* P2: an end is for ever. */
inline enter(t, to) {
  promise(2, !is_end(task[t].state) && !is_end(disk[t].state));
  task[t].state = to;
  changed
}

/* An attempt ended without success. */
inline fail_attempt(t, reported) {
  holder[t] = NOBODY;
  task[t].failed = reported;
  if
  :: task[t].cancel -> enter(t, CANCELLED); task[t].failed = false
  :: !task[t].cancel && task[t].attempts >= ATTEMPTS -> enter(t, DEAD)
  :: else -> enter(t, PENDING)
  fi
}

/* A lease that has had no effect. */
inline release(t) {
  holder[t] = NOBODY;
  task[t].failed = false;
  if
  :: task[t].cancel -> enter(t, CANCELLED)
  :: else -> task[t].attempts--; enter(t, PENDING)
  fi
}

/* P7: a lease is not given on while its holder still has it and nothing has happened to it. */
inline grant(t, w) {
  each = 0;
  do
  :: each == WORKERS -> break
  :: each < WORKERS ->
     promise(7, !(entitled[t] && task[t].fence > 0 && worker[each].alive &&
                  worker[each].lease[lease_of(t, task[t].fence)] != FREE));
     each++
  od;
  entitled[t] = true;
  task[t].fence++;
  task[t].attempts++;
  task[t].failed = false;
  holder[t] = w;
  enter(t, IN_PROGRESS);
#ifdef MUTANT_DISPATCH_BEFORE_COMMIT
  say_at_once(w, DISPATCH, lease_of(t, task[t].fence), 0)
#else
  say(w, DISPATCH, lease_of(t, task[t].fence), 0)
#endif
}

/* ---- clients ------------------------------------------------------------------------------------ */

/* A client may submit and cancel again at any time, so its messages need no channel: what was said
 * once may arrive at any moment, and any number of times. */
inline acknowledge(t, c) {
#if defined(GROUP_COMMIT) && !defined(MUTANT_ACKNOWLEDGE_BEFORE_COMMIT)
  ack_waits[content_of(t, c)] = true;
  dirty = true
#else
  acknowledged[content_of(t, c)] = true
#endif
}

inline confirm_cancel(t) {
#ifdef GROUP_COMMIT
  cancel_waits[t] = true;
  dirty = true
#else
  cancel_confirmed[t] = true
#endif
}

inline on_submit(t, c) {
  if
  :: task[t].state == ABSENT ->
     task[t].content = c;
     enter(t, PENDING);
     acknowledge(t, c)
#ifdef MUTANT_RESUBMIT_MAKES_NEW_TASK
  :: task[t].state != ABSENT ->
     task[t].state = PENDING;
     task[t].attempts = 0;
     holder[t] = NOBODY;
     changed
#endif
#ifdef MUTANT_RESUBMIT_OTHER_CONTENT
  :: task[t].state != ABSENT -> acknowledge(t, c)
#endif
  :: else ->
     if
     :: task[t].content == c -> acknowledge(t, c) /* duplicate */
     :: else                                      /* conflict */
     fi
  fi
}

inline on_cancel(t) {
  if
  :: task[t].state == CANCELLED -> confirm_cancel(t)
  :: task[t].state == PENDING -> enter(t, CANCELLED); confirm_cancel(t)
  :: task[t].state == IN_PROGRESS ->
     task[t].cancel = true;
     changed;
     confirm_cancel(t);
     if
     :: holder[t] != NOBODY -> say(holder[t], STOP, lease_of(t, task[t].fence), ON_CANCEL)
     :: else
     fi
  :: else
  fi
}

/* ---- workers ------------------------------------------------------------------------------------ */

/* What the worker holds it keeps, if the lease is its own or waits for it since a restart; what it was
 * given and does not hold never arrived. */
inline reconcile(w) {
  stale = 0;
  at_lease = 0;
  do
  :: at_lease == LEASES -> break
  :: at_lease < LEASES ->
     at_task = task_of(at_lease);
     if
     :: task[at_task].fence == fence_of(at_lease) && task[at_task].state == IN_PROGRESS ->
        if
        :: has(set, at_lease) && holder[at_task] == NOBODY ->
#ifdef MUTANT_HELLO_ADOPTS_NOTHING
           stale = stale | (1 << at_lease)
#else
           holder[at_task] = w
#endif
        :: !has(set, at_lease) && holder[at_task] == w -> release(at_task)
        :: has(set, at_lease) && holder[at_task] != NOBODY && holder[at_task] != w -> stale = stale | (1 << at_lease)
        :: else
        fi
     :: else ->
        if /* the answer to its completion may have been lost: it may ask again */
        :: has(set, at_lease) && !(task[at_task].fence == fence_of(at_lease) &&
                            (task[at_task].state == SUCCEEDED || task[at_task].failed)) ->
           stale = stale | (1 << at_lease)
        :: else
        fi
     fi;
     at_lease++
  od
}

inline stop_cancelled(w) {
  at_task = 0;
  do
  :: at_task == TASKS -> break
  :: at_task < TASKS ->
     if
     :: task[at_task].state == IN_PROGRESS && holder[at_task] == w && task[at_task].cancel ->
        say(w, STOP, lease_of(at_task, task[at_task].fence), ON_CANCEL)
     :: else
     fi;
     at_task++
  od
}

inline on_hello(w) {
  set = argument;
  if
#ifndef MUTANT_OLD_HELLO_COUNTS
  :: kind == OVERTAKEN_HELLO && peer[w] != UNKNOWN /* its number is not above the newest */
#endif
  :: else ->
     peer[w] = (current -> CURRENT : EARLIER);
     changed;
     reconcile(w);
     if
#ifndef MUTANT_OLD_WELCOME_OPENS
     :: kind != HELLO /* its Welcome is ignored by the worker */
#endif
     :: else -> say(w, WELCOME, stale, 0)
     fi;
     stop_cancelled(w);
     overtake_hellos(w)
  fi
}

/* Sets `accepted`: the completion counts, now or because it repeats one that counted. */
inline complete(w) {
  at_task = task_of(argument);
#ifdef MUTANT_NO_FENCE_CHECK
  if
  :: task[at_task].state == IN_PROGRESS && holder[at_task] != NOBODY ->
#elif defined(MUTANT_END_IS_NOT_FINAL)
  if
  :: task[at_task].fence == fence_of(argument) && task[at_task].state != ABSENT && task[at_task].state != PENDING ->
#else
  if
  :: task[at_task].fence == fence_of(argument) && task[at_task].state == IN_PROGRESS && holder[at_task] == w ->
#endif
     entitled[at_task] = false;
     if
     :: word == RELEASED -> accepted = true; release(at_task)
     :: word == STOPPED || word == FAILED ->
        accepted = (word == STOPPED || !task[at_task].cancel);
        fail_attempt(at_task, word == FAILED)
     :: word == DONE ->
#ifdef MUTANT_SUCCESS_BEATS_CANCEL
        accepted = true;
#else
        accepted = !task[at_task].cancel;
#endif
        holder[at_task] = NOBODY;
        enter(at_task, (accepted -> SUCCEEDED : CANCELLED))
     fi
  :: else ->
     accepted = (word == RELEASED ||
                 (task[at_task].fence == fence_of(argument) && task[at_task].state != IN_PROGRESS &&
                  ((word == DONE && task[at_task].state == SUCCEEDED) ||
                   (word == STOPPED && task[at_task].state == CANCELLED) ||
                   (word == FAILED && task[at_task].failed && task[at_task].state != CANCELLED))))
#ifdef MUTANT_REPEAT_IS_STALE
     ;
     accepted = (word == RELEASED)
#endif
  fi
}

inline on_complete(w) {
  complete(w);
#ifdef MUTANT_COMPLETED_BEFORE_COMMIT
  say_at_once(w, COMPLETED, argument, accepted)
#else
  say(w, COMPLETED, argument, accepted)
#endif
}

/* Its leases end at no cost of an attempt. */
inline on_goodbye(w) {
  at_task = 0;
  do
  :: at_task == TASKS -> break
  :: at_task < TASKS ->
     if
     :: task[at_task].state == IN_PROGRESS && holder[at_task] == w -> entitled[at_task] = false; release(at_task)
     :: else
     fi;
     at_task++
  od;
  peer[w] = UNKNOWN
}

inline on_worker_message(w) {
  if
  :: kind == HELLO || kind == OLD_HELLO || kind == OVERTAKEN_HELLO -> on_hello(w)
  :: else ->
     if
     :: peer[w] == (current -> CURRENT : EARLIER) ->
        if
        :: kind == COMPLETE -> on_complete(w)
        :: kind == GOODBYE -> on_goodbye(w)
        fi
     :: else /* refused; the worker says hello when it learns of it */
     fi
  fi;
  check_acknowledged()
}

/* The worker is silent, or seems to be. */
inline lose_worker(w) {
  at_task = 0;
  do
  :: at_task == TASKS -> break
  :: at_task < TASKS ->
     if
     :: task[at_task].state == IN_PROGRESS && holder[at_task] == w ->
        entitled[at_task] = false;
#ifdef MUTANT_SILENCE_COSTS_NO_ATTEMPT
        release(at_task)
#else
        fail_attempt(at_task, false)
#endif
     :: else
     fi;
     at_task++
  od;
  peer[w] = UNKNOWN;
  changed
}

/* ---- disk --------------------------------------------------------------------------------------- */

/* P1: what was acknowledged is there. P8: and under one content only. P20: a confirmed cancel wins. */
inline check_acknowledged() {
  each = 0;
  do
  :: each == TASKS -> break
  :: each < TASKS ->
     promise(1, !(acknowledged[content_of(each, 0)] || acknowledged[content_of(each, 1)]) ||
                task[each].state != ABSENT);
     promise(8, !acknowledged[content_of(each, 1 - task[each].content)]);
     promise(20, !cancel_confirmed[each] || task[each].state != SUCCEEDED);
     each++
  od
}

#ifdef GROUP_COMMIT
inline commit() {
  each = 0;
  do
  :: each == TASKS -> break
  :: each < TASKS ->
     disk[each].state = task[each].state;
     disk[each].attempts = task[each].attempts;
     disk[each].fence = task[each].fence;
     disk[each].failed = task[each].failed;
     disk[each].cancel = task[each].cancel;
     disk[each].content = task[each].content;
     if
     :: ack_waits[content_of(each, 0)] -> acknowledged[content_of(each, 0)] = true
     :: else
     fi;
     if
     :: ack_waits[content_of(each, 1)] -> acknowledged[content_of(each, 1)] = true
     :: else
     fi;
     if
     :: cancel_waits[each] -> cancel_confirmed[each] = true
     :: else
     fi;
     ack_waits[content_of(each, 0)] = false;
     ack_waits[content_of(each, 1)] = false;
     cancel_waits[each] = false;
     each++
  od;
  each = 0;
  do
  :: each == WORKERS -> break
  :: each < WORKERS -> waiting[each] = 0; each++
  od;
  dirty = false;
  check_acknowledged()
}
#endif

/* The end of the process and the next start, in one: what workers do in between, they may as well do
 * before or after. */
inline restart() {
  at_task = 0;
  do
  :: at_task == TASKS -> break
  :: at_task < TASKS ->
#ifdef GROUP_COMMIT
     task[at_task].state = disk[at_task].state;
     task[at_task].attempts = disk[at_task].attempts;
     task[at_task].fence = disk[at_task].fence;
     task[at_task].failed = disk[at_task].failed;
     task[at_task].cancel = disk[at_task].cancel;
     task[at_task].content = disk[at_task].content;
     ack_waits[content_of(at_task, 0)] = false;
     ack_waits[content_of(at_task, 1)] = false;
     cancel_waits[at_task] = false;
     dirty = false;
#endif
#ifdef MUTANT_ATTEMPTS_NOT_DURABLE
     if
     :: task[at_task].attempts > 0 -> task[at_task].attempts = 1
     :: else
     fi;
#endif
#ifdef MUTANT_FENCE_NOT_DURABLE
     task[at_task].fence = task[at_task].attempts;
     if
     :: task[at_task].state == PENDING -> task[at_task].fence = 0
     :: else
     fi;
#endif
#ifdef MUTANT_CANCEL_NOT_DURABLE
     task[at_task].cancel = false;
#endif
#ifdef MUTANT_END_NOT_DURABLE
     if
     :: is_end(task[at_task].state) -> task[at_task].state = PENDING
     :: else
     fi;
#endif
     holder[at_task] = NOBODY;
     entitled[at_task] = entitled[at_task] && task[at_task].state == IN_PROGRESS;
#ifdef MUTANT_NO_ADOPTION_WINDOW
     if
     :: task[at_task].state == IN_PROGRESS -> fail_attempt(at_task, false)
     :: else
     fi;
#endif
     at_task++
  od;
  count = 0;
  do
  :: count == WORKERS -> break
  :: count < WORKERS ->
     empty_to_worker(count);
     empty_to_broker(count);
     peer[count] = UNKNOWN;
     count++
  od;
  check_acknowledged()
}
