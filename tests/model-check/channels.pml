/* Sending, and what happens to messages under way. */

#ifdef GROUP_COMMIT
#define changed dirty = true
#define waiting_for(w) waiting[w]
#else
#define changed skip
#define waiting_for(w) 0
#endif
#define is_heard(w) (len(to_worker[w]) > waiting_for(w))

/* The broker says something to a worker it knows. What finds no room or no reader is lost. With group
 * commit it waits for the sync. */
inline say(to, what, about, more) {
  if
  :: peer[to] == CURRENT -> say_on_current(to, what, about, more)
  :: else
  fi
}

inline say_on_current(to, what, about, more) {
  if
  :: (what == COMPLETED || what == STOP) && worker[to].lease[about] == FREE &&
     !to_worker[to]??[DISPATCH, eval(about), 0] /* it would change nothing */
  :: else -> send_on_current(to, what, about, more)
  fi
}

inline send_on_current(to, what, about, more) {
  if
  :: worker[to].alive && len(to_worker[to]) < DEPTH ->
     to_worker[to]!what, about, more;
#ifdef GROUP_COMMIT
     waiting[to]++;
     dirty = true
#endif
  :: else
  fi
}

#ifdef GROUP_COMMIT
/* For mutants: not held until the sync. */
inline say_at_once(to, what, about, more) {
  if
  :: peer[to] == CURRENT && waiting[to] == 0 && worker[to].alive && len(to_worker[to]) < DEPTH ->
     to_worker[to]!what, about, more
  :: else
  fi
}
#endif

/* What is under way to the worker goes; with group commit, so does what has not been said. */
inline empty_to_worker(w) {
  do
  :: len(to_worker[w]) > 0 -> to_worker[w]?kind, argument, word
  :: else -> break
  od
#ifdef GROUP_COMMIT
  ; waiting[w] = 0
#endif
}

inline empty_to_broker(w) {
  do
  :: len(to_broker[w]) > 0 -> to_broker[w]?kind, argument, word, current
  :: else -> break
  od
}

/* A connection ends. Of what was sent on it the first `kept` messages arrive, some time. */
inline end_connection(w, kept) {
  age_hellos(w);
  count = len(to_broker[w]);
  each = 0;
  do
  :: each == count -> break
  :: each < count ->
     to_broker[w]?kind, argument, word, current;
     if
     :: each < kept -> to_broker[w]!kind, argument, word, 0
     :: else
     fi;
     each++
  od;
  if
  :: peer[w] == CURRENT -> peer[w] = EARLIER
  :: else
  fi
}

/* Only the newest Hello is answered so that the worker heeds it; here the others get no Welcome. */
inline age_hellos(w) {
  count = len(to_broker[w]);
  do
  :: count == 0 -> break
  :: count > 0 ->
     count--;
     to_broker[w]?kind, argument, word, current;
     if
     :: kind == HELLO -> to_broker[w]!OLD_HELLO, argument, word, current
     :: else -> to_broker[w]!kind, argument, word, current
     fi
  od
}

/* The broker has seen a Hello on the current connection: it ignores those on earlier ones, for as long
 * as it knows the worker. */
inline overtake_hellos(w) {
  count = (current -> len(to_broker[w]) : 0);
  do
  :: count == 0 -> break
  :: count > 0 ->
     count--;
     to_broker[w]?kind, argument, word, current;
     if
     :: kind == OLD_HELLO && current == 0 -> to_broker[w]!OVERTAKEN_HELLO, argument, word, 0
     :: else -> to_broker[w]!kind, argument, word, current
     fi
  od
}
