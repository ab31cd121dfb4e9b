# SPDX-License-Identifier: Apache-2.0
"""What is measured: the limit, orch, and (in peers.py) others. Each is told how to write its configuration and what its commands are."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

from machine import Wrong, cpu_ns, name_of, running_descendants, wait_until

ROTATE_BYTES = 10_000_000
# So many that no line is removed by rotation.
KEPT_FILES = 100


class Service:
    """One service of a benchmark's manifest."""

    def __init__(self, machine, number, command=None, after=None, log=None, extra=""):
        self.number, self.name = number, f"s{number}"
        # The plain one may be a run file by itself, without a shell. A log is a folder, or "" for wherever logs are by default.
        self.is_plain = command is None
        self.command = command or [machine.program("service"), machine.slots.path, str(number)]
        self.after, self.log, self.extra = after, log, extra


class Supervisor:
    """One life of a supervisor, in a folder of its own.

    A subclass has `configure` (writes the files), `start`, `stop`, and where it can, `status_command` and `change`."""

    name = "?"
    programs = ()
    most = 100_000
    has_dependencies = False
    has_logs = False
    # How long it leaves between a start and the next one, whatever one configures.
    rest_seconds = 0.3

    def __init__(self, machine):
        self.machine, self.slots = machine, machine.slots
        self.folder = machine.fresh("run")
        self.environment = dict(os.environ)
        self.process, self.services = None, []
        machine.slots.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.machine.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def is_installed(cls):
        return all(shutil.which(program) for program in cls.programs)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def open(self, command, **more):
        with open(self.path("said"), "ab") as said:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=self.environment, cwd=self.folder,
                start_new_session=True, **more)

    def call(self, command, timeout=60, output=subprocess.DEVNULL):
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL, env=self.environment,
            cwd=self.folder, timeout=timeout, check=False)

    def said(self):
        with open(self.path("said"), errors="replace") as file:
            return file.read()[-600:].strip()

    def prepare(self):
        """Not measured."""

    def wait_stopped(self):
        """Waits until nothing is left. False when something stays."""
        return wait_until(lambda: not running_descendants(), 20, 0.002)

    def status_command(self):
        return None

    def change(self, number):
        """Changes the command of one service and makes the supervisor take it up. None when it can't."""
        return None

    def all_up(self, timeout=60):
        return self.slots.wait_started(len(self.services), 0, timeout)

    def own(self):
        """The processes that are not services."""
        services = set(self.slots.pids(len(self.services)))
        return [pid for pid in running_descendants() if pid not in services]

    def cpu_ns(self):
        return cpu_ns(self.own())


class Limit(Supervisor):
    """The machine: clone and exec in a loop, pidfds in epoll, and nothing else (programs/limit.c)."""

    name = "limit"
    threads = 1
    has_dependencies = True

    def configure(self, services):
        self.services = services
        with open(self.path("plan"), "w") as file:
            file.writelines(f"{-1 if service.after is None else service.after}\n" for service in services)

    def start(self):
        program = self.machine.program
        self.process = self.open([
            program("limit"), "run", str(self.threads), self.path("plan"), self.slots.path, program("service"), self.path("socket")])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)

    def status_command(self):
        return [self.machine.program("limit"), "status", self.path("socket")]


class LimitOfCores(Limit):
    name = "limit, a thread a core"
    threads = max(2, os.cpu_count() or 2)
    has_dependencies = False


class LimitNoWait(Limit):
    name = "limit, not waiting for exec"
    threads = 0
    has_dependencies = False


LIMITS = [Limit, LimitOfCores, LimitNoWait]


def manifest(services, changed=None):
    """The stack as orch reads it; JSON is YAML."""
    rows = ["name: bench", "services:"]
    for service in services:
        command = service.command + (["changed"] if service.number == changed else [])
        rows += [f"  {service.name}:", f"    command: {json.dumps(command)}"]
        if service.after is not None:
            rows.append(f"    depends_on: [s{service.after}]")
        rows.append("    restart: {policy: always, delay: 0ms, factor: 1, jitter: 0%, max_attempts: unlimited}")
        if service.log is None:
            rows.append("    logging: {stdout: null, stderr: null}")
        elif service.log:
            path = json.dumps(f"{service.log}/{service.name}.log")
            rows.append(
                f"    logging: {{stdout: {path}, stderr: merge, rotate: {{size: {ROTATE_BYTES}B, keep: {KEPT_FILES}}}}}")
        if service.extra:
            rows.append(f"    {service.extra}")
    return "\n".join(rows) + "\n"


class Orch(Supervisor):
    """orch by its command line and manifest. Everything of it is in a home of its own."""

    name = "orch"
    program = "orch"
    has_dependencies = True
    has_logs = True
    version = ""

    @classmethod
    def use(cls, program):
        cls.program = os.path.abspath(program)
        cls.version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]

    def write(self, changed=None):
        with open(self.path("orch.yaml"), "w") as file:
            file.write(manifest(self.services, changed))

    def configure(self, services):
        self.services = services
        self.environment["ORCH_HOME"] = self.path("home")
        self.write()

    def start(self):
        self.process = self.open([self.program, "apply"])

    def all_up(self, timeout=60):
        try:
            starts = super().all_up(timeout)
            if self.process.wait(timeout=timeout) != 0:
                raise Wrong("apply failed")
        except (Wrong, subprocess.TimeoutExpired) as error:
            raise Wrong(f"orch: {error}: {self.said()}") from None
        return starts

    def apply(self):
        if self.call([self.program, "apply"]).returncode != 0:
            raise Wrong("orch apply failed")

    def stop(self):
        self.process = self.open([self.program, "down"])

    def wait_stopped(self):
        if self.process.wait(timeout=60) != 0:
            raise Wrong(f"orch down failed: {self.said()}")
        return not any(os.path.exists(f"/proc/{pid}") for pid in self.slots.pids(len(self.services)))

    def __exit__(self, *error):
        try:
            self.call([self.program, "daemon", "stop"], timeout=20)
        finally:
            super().__exit__(*error)

    def status_command(self):
        return [self.program, "status", "--json"]

    def change(self, number):
        self.write(changed=number)
        return [[self.program, "apply"]]

    def daemon(self):
        """The pid of orchd, or None between two of them."""
        return next((pid for pid in running_descendants() if name_of(pid) == "orchd"), None)

    def next_daemon(self, old, timeout=20):
        """Asks at the socket until a daemon with another pid answers; its pid and when it did. Two frames, and no process of ours."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(end - time.monotonic())
                    client.connect(self.path("home", "run", "orch.sock"))
                    for words in {"orch": self.version, "protocol": 1}, {"id": 1, "command": "daemon-status"}:
                        send_frame(client, words)
                    receive_frame(client)
                    pid = receive_frame(client)["daemon"]["pid"]
                    if pid != old:
                        return pid, time.monotonic_ns()
            except (OSError, KeyError, EOFError, ValueError):
                pass
            time.sleep(0.0005)
        raise Wrong(f"no daemon answered within {timeout} s after kill -9")


def send_frame(client, words):
    """Four bytes of length, and JSON (Sources/OrchWire/Frame.swift)."""
    body = json.dumps(words).encode()
    client.sendall(struct.pack(">I", len(body)) + body)


def receive_frame(client):
    def exactly(count):
        found = b""
        while len(found) < count:
            some = client.recv(count - len(found))
            if not some:
                raise EOFError
            found += some
        return found

    return json.loads(exactly(*struct.unpack(">I", exactly(4))))
