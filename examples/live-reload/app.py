#!/usr/bin/python3
"""Says every second what greeting.py has."""
import time

import greeting

while True:
    print(greeting.TEXT, flush=True)
    time.sleep(1)
