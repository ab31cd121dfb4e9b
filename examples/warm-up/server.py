#!/usr/bin/python3
"""Fills its cache for a second before it answers. While there is a file `broken` it can't start at all."""
import http.server
import os
import sys
import time

if os.path.exists("broken"):
    sys.exit("the licence server does not answer")
time.sleep(1)
print("warm", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
