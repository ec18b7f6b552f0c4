#!/usr/bin/env bash
# A whole worker in curl and jq: curl_worker.sh QUEUE PROGRAM [ARG…], as millrace-worker runs a program.
# The payload is on standard input, what the program prints is the result, exit 0 is success.
broker=${MILLRACE_HTTP:-http://127.0.0.1:8080}
queue=$1 && shift
token=(-H "@${MILLRACE_HTTP_HEADER:-./data/http-header}") # made by the broker, in its data directory
export MILLRACE_TASK_ID MILLRACE_ATTEMPT MILLRACE_FENCE
say() { curl -s "${token[@]}" --retry 5 --retry-all-errors --json @- "$broker/v1/$1"; }

while lease=$(curl -sf "${token[@]}" -X POST "$broker/v1/lease?queue=$queue&wait=30s&worker=$HOSTNAME.$$" || sleep 1); do
  [[ $lease ]] || continue # nothing came; ask again
  held=$(jq -c '{task, fence}' <<<"$lease")
  read -r MILLRACE_TASK_ID MILLRACE_ATTEMPT MILLRACE_FENCE < <(jq -r '"\(.task) \(.attempt) \(.fence)"' <<<"$lease")
  while sleep 2 && kill -0 $$; do say heartbeat <<<"$held" >/dev/null; done &
  heart=$!
  if result=$(jq -j '.payload // (.payload_base64 | @base64d)' <<<"$lease" | "$@"); then
    jq -c --arg result "$result" '. + {$result}' <<<"$held" | say complete
  else
    jq -c --arg error "exit code $?" '. + {$error}' <<<"$held" | say fail
  fi
  kill $heart
done
