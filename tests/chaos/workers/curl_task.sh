#!/bin/sh
# A task of a worker at curl: task.sh with its place in the ledger, as millrace-worker --ledger keeps it.
# The kernel tells the time to 10 ms; it is rounded up, for a start must not seem early.
note() {
  read -r uptime _ </proc/uptime
  printf '%s %s %s %s %s %s0000000\n' "$1" "$MILLRACE_TASK_ID" "$MILLRACE_ATTEMPT" "$MILLRACE_FENCE" \
    "$CHAOS_WORKER" "$((${uptime%.*}${uptime#*.} + 1))" >>"$CHAOS_LEDGER"
}

note start
"${0%/*}/task.sh"
code=$?
note end
exit $code
