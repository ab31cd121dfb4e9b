#!/bin/sh
# Hears nothing, and has a child that hides in a session of its own.
trap '' TERM INT HUP
setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done' &
echo $! > scratch/hidden.pid
while :; do sleep 1; done
