#!/bin/sh
# A weather station: a reading every STEP seconds on standard output, and what is wrong with its sensor on standard error.
# It ends when somebody writes an exit code into the file `end`.
n=0
echo "station: $(cat place.txt), in $PWD"
while :; do
  n=$((n + 1))
  echo "reading $n: 21.5 C, wind 3 m/s, all well"
  [ $((n % 10)) -ne 0 ] || echo "ERROR reading $n: the sensor did not answer" >&2
  if [ -s end ]; then
    code=$(cat end)
    rm -f end
    echo "told to end with $code"
    exit "$code"
  fi
  sleep "$STEP"
done
