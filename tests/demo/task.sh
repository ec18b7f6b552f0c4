#!/bin/bash
# One task of the demo: the SHA-256 of its payload, with a line in the ledger at start and end.
# usage: task.sh LEDGER WORKER-NAME SECONDS   (the payload on stdin, the digest on stdout)
# A line is one short write to a file opened for appending, so lines of many processes never mix.
note() { printf '%s %s %s %s %s\n' "$1" "$MILLRACE_TASK_ID" "$MILLRACE_ATTEMPT" "$MILLRACE_FENCE" "$2" >>"$3"; }
note start "$2" "$1"
digest=$(sha256sum)
sleep "$3"
printf '%s' "${digest%% *}"
note end "$2" "$1"
