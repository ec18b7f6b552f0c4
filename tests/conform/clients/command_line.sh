#!/bin/sh
# The program `millrace` as a client for the conformance kit: takes the kit's orders.
# usage: command_line.sh MILLRACE BROKER submit QUEUE COUNT | wait ID | cancel ID
millrace=$1 broker=$2 order=$3
shift 3
case $order in
  submit) exec "$millrace" --broker "$broker" --timeout 60s submit "$1" --count "$2" --wait --results ;;
  wait) exec "$millrace" --broker "$broker" --timeout 60s wait "$1" --results ;;
  cancel) exec "$millrace" --broker "$broker" --timeout 60s cancel "$1" --json ;;
esac
