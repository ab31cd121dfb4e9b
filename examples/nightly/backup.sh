#!/bin/sh
# Copies the data, unless the disk on the other side is away: that is while there is a file `away` (it comes back at the second try).
echo "begin backup" >> journal
if [ -e away ]; then
  rm -f away
  echo "end backup" >> journal
  echo "the other side is away" >&2
  exit 1
fi
sleep "${PACE:-1}"
mkdir -p copies
cp data.txt copies/data.txt
echo "end backup" >> journal
