#!/bin/sh
# Twenty lines a second, about 1.5 kB: a new log segment every ten seconds or so.
set -eu

line=0
while :; do
    for song in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        line=$((line + 1))
        echo "line $line: and now, by popular demand, tune number $song of our bread songs"
    done
    sleep 1
done
