#!/usr/bin/env python3
"""A web server that listens at the sockets that it is given (sd_listen_fds(3)), and finishes what it has begun before it ends.

Servers that can do this by themselves need no code: gunicorn, uvicorn (--fd 3), nginx, Puma, and whatever uses libsystemd."""
import http.server
import os
import signal
import socket
import sys
import threading


def given():
    """The sockets, by name. LISTEN_PID says whom they are meant for: variables are inherited by children, too."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        sys.exit("no sockets were given: start this with `orch apply`")
    names = os.environ["LISTEN_FDNAMES"].split(":")
    return {name: socket.socket(fileno=3 + index) for index, name in enumerate(names)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"{os.environ['GREETING']} from {os.getpid()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self):
        return "somebody"

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    # The end waits for answers that are under way.
    daemon_threads = False

    def __init__(self, given):
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = given
        # Somebody else may take the connection that both were told of.
        self.socket.setblocking(False)


servers = [Server(one) for one in given().values()]
threads = [threading.Thread(target=one.serve_forever, args=(0.05,)) for one in servers]
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
for thread in threads:
    thread.start()
print("serving", flush=True)
signal.sigwait({signal.SIGTERM})
for one in servers:
    one.shutdown()
for one in servers:
    one.server_close()
