#!/usr/bin/python3
"""A printing press: asked to stop it finishes its page, and puts the ink away."""
import signal
import sys
import time

asked = False


def ask(number, frame):
    global asked
    asked = True


signal.signal(signal.SIGTERM, ask)
signal.signal(signal.SIGINT, ask)
open("scratch/press.ink", "w").close()
page = 0
while not asked:
    page += 1
    for _ in range(10):
        time.sleep(0.02)
    print(f"page {page} is whole", flush=True)
print("the ink is put away", flush=True)
sys.exit(0)
