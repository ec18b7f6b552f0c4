#!/bin/sh
# The conformance kit's handler as a program per task: `millrace-worker ... -- sh program.sh`.
payload=$(mktemp) || exit 1
cat >"$payload"
read -r word rest <"$payload"
case $word in
  sleep) rm -f "$payload"; exec sleep "$(printf '%d.%03d' $((rest / 1000)) $((rest % 1000)))" ;;
  fail) rm -f "$payload"; printf '%s' "$rest" >&2; exit 1 ;;
  fail_for_good) rm -f "$payload"; printf '%s' "$rest" >&2; exit 65 ;;
  result) rm -f "$payload"; head -c "$rest" /dev/zero | tr '\0' x; exit ;;
  error)
    rm -f "$payload"
    { printf A; head -c $((rest - 2)) /dev/zero | tr '\0' x; printf Z; } >&2
    exit 1 ;;
  stuck)
    rm -f "$payload"
    trap '' TERM
    sleep "$(printf '%d.%03d' $((rest / 1000)) $((rest % 1000)))" ;;
  *) cat "$payload"; rm -f "$payload" ;;
esac
