"""Confirms bookings. The queue says at once that there is one; a look into the database every few seconds finds what the queue forgot."""

import os
import signal
import socket
import time

import psycopg
import redis

QUEUE = "bookings"
ROUND = 5  # seconds
PAUSE = 0.5  # seconds between attempts while the database is away

stopping = False


def stop(*_):
    global stopping
    stopping = True


def notify(text):
    """sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names, where a leading @ means the abstract namespace."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.sendto(text.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)


def confirm_all(connection):
    """Confirms whatever is requested, one booking a transaction. Several workers don't get in each other's way."""
    while not stopping:
        found = connection.execute(
            "UPDATE bookings SET status = 'confirmed' WHERE id = "
            "(SELECT id FROM bookings WHERE status = 'requested' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, guest"
        ).fetchone()
        if found is None:
            return
        print(f"booking {found[0]} is confirmed, {found[1]} is told", flush=True)


def wait_for_work(queue):
    """Until the queue says something, a round is over or a stop is asked for. A queue that is away is only slower."""
    deadline = time.monotonic() + ROUND
    while not stopping and time.monotonic() < deadline:
        try:
            if queue.blpop([QUEUE], timeout=1):
                return
        except (redis.RedisError, OSError):
            time.sleep(PAUSE)


def main():
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    queue = redis.Redis(host="127.0.0.1", port=int(os.environ["BOOKING_QUEUE_PORT"]), socket_connect_timeout=1, socket_timeout=3)
    while not stopping:
        try:
            with psycopg.connect("connect_timeout=2", autocommit=True) as connection:
                print("connected to the database", flush=True)
                notify("READY=1\nSTATUS=waiting for bookings")
                while not stopping:
                    confirm_all(connection)
                    wait_for_work(queue)
        except psycopg.OperationalError as error:
            print(f"the database is away, trying again: {str(error).splitlines()[0]}", flush=True)
            time.sleep(PAUSE)
    notify("STOPPING=1")
    print("no booking is left half done, good night", flush=True)


main()
