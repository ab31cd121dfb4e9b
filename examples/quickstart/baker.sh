#!/bin/sh
# Bakes one loaf after the other. SIGTERM means closing time: the loaf at hand is finished first.
set -eu

closing=no
trap 'closing=yes; echo "closing time: this one loaf, then home"' TERM

loaf=0
while [ "$closing" = no ]; do
    loaf=$((loaf + 1))
    for step in kneading proving baking; do
        echo "loaf $loaf of $BREAD: $step"
        sleep 1
    done
    echo "loaf $loaf of $BREAD" >> "$BAKERY_DIR/shelf"
done
echo "$loaf loaves on the shelf, good night"
