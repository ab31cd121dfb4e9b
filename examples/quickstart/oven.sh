#!/bin/sh
# Fails on the first start of the day, then heats up to 220 degrees and stays there.
set -eu

rm -f "$BAKERY_DIR/temperature"
if [ ! -e "$BAKERY_DIR/lit-before" ]; then
    : > "$BAKERY_DIR/lit-before"
    echo "the pilot light went out" >&2
    exit 1
fi

temperature=20
while :; do
    echo "$temperature" > "$BAKERY_DIR/temperature.new"
    mv "$BAKERY_DIR/temperature.new" "$BAKERY_DIR/temperature"    # a reader never sees half a number
    if [ "$temperature" -lt 220 ]; then
        echo "$temperature degrees and rising"
        temperature=$((temperature + 100))
    fi
    sleep 1
done
