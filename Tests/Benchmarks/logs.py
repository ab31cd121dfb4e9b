# SPDX-License-Identifier: Apache-2.0
"""G8: logs by the hundred megabytes, every line of them looked for; and again while the daemon is killed over and over."""

import os
import re
import shutil
import signal
import subprocess
import time

from machine import Wrong, now, send, wait_until
from supervisors import KEPT_FILES, ROTATE_BYTES, Orch, Service, Supervisor

LINE_BYTES = 100
LINES_A_WRITE = 40
KILL_EVERY_SECONDS = 0.1


class Pump(Supervisor):
    """The limit: a loop that copies 64 KiB from pipe to file and rotates at line ends (programs/pump.c)."""

    name = "limit"

    def configure(self, services):
        self.services = services

    def start(self):
        first = self.services[0]
        command = list(first.command)
        command[2] = "{}"
        self.process = self.open([
            self.machine.program("pump"), first.log, str(ROTATE_BYTES), str(len(self.services)), *command])

    def log_files(self, service):
        return named(service.log, f"{service.number}.log")


def named(folder, name):
    """The file and what was rotated out of it."""
    return [f"{folder}/{each}" for each in os.listdir(folder) if each == name or each.startswith(name + ".")]


def files_of(it, service):
    return named(service.log, f"{service.name}.log") if isinstance(it, Orch) else it.log_files(service)


def bytes_of(it):
    total = 0
    for service in it.services:
        for path in "+".join(files_of(it, service)).split("+"):
            try:
                total += os.stat(path).st_size
            except OSError:
                pass  # rotated under our eyes
    return total


def check(it, lines, results, metric):
    """Looks for every line, once and whole."""
    paths = [path for service in it.services for path in files_of(it, service)]
    command = [it.machine.program("checker"), str(len(it.services)), str(lines), *paths]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lost, doubled, torn = (int(number) for number in re.findall(r"(?:lost|doubled|torn)=(\d+)", said))
    results.add(it.name, metric, lost + doubled + torn)
    if lost + doubled + torn and it.name in ("orch", "limit"):
        results.wrong(f"{metric}: {it.name}: {lost} lines lost, {doubled} doubled, {torn} torn")


def writers(machine, folder, count, lines, pause_us):
    def command(number):
        return [machine.program("writer"), machine.slots.path, str(number), str(lines), str(LINES_A_WRITE), str(pause_us)]

    return [Service(machine, number, command=command(number), log=folder) for number in range(count)]


def wait_written(it, total, timeout):
    """Until the writers have written and all of it is in the files."""
    count = len(it.services)
    if not wait_until(lambda: min(it.slots.stops(count)) > 0, timeout, 0.004):
        raise Wrong(f"{it.name}: the writers did not get rid of their lines within {timeout} s")
    if not wait_until(lambda: bytes_of(it) >= total, timeout):
        # Too little is a finding of `check`, which says how many lines it is.
        return False
    return True


def throughput(machine, kind, results, count, megabytes):
    lines = megabytes * 1_000_000 // LINE_BYTES // count
    folder = machine.fresh("logs")
    with kind(machine) as it:
        it.configure(writers(machine, folder, count, lines, 0))
        it.prepare()
        it.start()
        it.all_up(30)
        time.sleep(0.5)
        begun = now()
        it.slots.go()
        wait_written(it, lines * LINE_BYTES * count, 90)
        results.add(kind.name, f"log {count}", lines * LINE_BYTES * count / 1e6 / ((now() - begun) / 1e9))
        # A rotation under way may still rename.
        time.sleep(0.3)
        check(it, lines, results, "log faults")
    shutil.rmtree(folder, ignore_errors=True)


def under_kills(machine, results, count, seconds):
    """The same with pauses, so that it lasts, while orchd gets SIGKILL every tenth of a second."""
    pause_us = 1000
    lines = int(seconds / (pause_us / 1e6 + 100e-6)) * LINES_A_WRITE
    folder = machine.fresh("logs")
    with Orch(machine) as it:
        it.configure(writers(machine, folder, count, lines, pause_us))
        it.start()
        it.all_up(30)
        pids, kills = it.slots.pids(count), 0
        it.slots.go()
        end = time.monotonic() + 10 * seconds + 30
        while min(it.slots.stops(count)) == 0:
            daemon = it.daemon()
            if daemon:
                send(daemon, signal.SIGKILL)
                kills += 1
            time.sleep(KILL_EVERY_SECONDS)
            if time.monotonic() > end:
                raise Wrong(f"the writers are stuck after {kills} kills of the daemon")
        wait_written(it, lines * LINE_BYTES * count, 30)
        it.next_daemon(0)
        time.sleep(0.3)
        if it.slots.pids(count) != pids:
            results.wrong(f"a writer was started again under {kills} kills of the daemon")
        check(it, lines, results, "log faults under kills")
        results.note("G8", f"{kills} kills of the daemon under {count} writer{'s'[:count - 1]}, {lines * count:,} lines")
    shutil.rmtree(folder, ignore_errors=True)
