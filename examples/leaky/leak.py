#!/usr/bin/python3
"""Takes a megabyte ten times a second, and never gives one back."""
import time

hoard = []
while True:
    hoard.append(bytearray(1_000_000))
    time.sleep(0.1)
