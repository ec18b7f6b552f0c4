#!/bin/sh
# A task of a chaos campaign: takes a moment, and answers with its payload and its fence.
read -r payload
sleep 0.1
case $payload in
  fail*) [ "$MILLRACE_ATTEMPT" -gt 1 ] || exit 1 ;;
esac
printf '%s %s' "$payload" "$MILLRACE_FENCE"
