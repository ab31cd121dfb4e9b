#!/usr/bin/python3
"""A shop on a TCP port, with a bell on a UDP port and a helper process."""
import http.server
import os
import socket
import subprocess

bell = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
bell.bind(("127.0.0.1", int(os.environ["ORCH_PORT_BELL"])))
subprocess.Popen(["sleep", "100000"])
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["ORCH_PORT_DOOR"])), http.server.SimpleHTTPRequestHandler).serve_forever()
