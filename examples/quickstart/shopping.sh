#!/bin/sh
# Prepares an empty kitchen: every opening day starts the same way.
set -eu

mkdir -p "$BAKERY_DIR"
rm -f "$BAKERY_DIR/lit-before" "$BAKERY_DIR/temperature" "$BAKERY_DIR/shelf"
echo "bought flour, salt and water"
