#!/bin/sh
# Opens a file every now and then, and never closes one.
n=0
while :; do
  n=$((n + 1))
  sleep 1000 < ./busy.sh &
  sleep 0.3
done
