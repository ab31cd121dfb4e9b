#!/usr/bin/python3
"""A program for a console: it ignores signals, and ends when Ctrl-C comes through its standard input."""
import signal
import sys

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print("press Ctrl-C to end", flush=True)
while True:
    byte = sys.stdin.buffer.read(1)
    if byte == b"\x03":
        print("Ctrl-C: goodbye", flush=True)
        break
    if byte == b"":
        signal.pause()
