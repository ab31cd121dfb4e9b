#!/usr/bin/python3
"""An application whose /health says how it is: what stands in the file `mood`, which each start makes healthy."""
import http.server
import json
import os

with open("mood", "w") as file:
    file.write("healthy")


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("mood") as file:
            mood = file.read().strip()
        body = json.dumps({"status": mood, "database": {"connected": mood == "healthy"}, "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Health).serve_forever()
