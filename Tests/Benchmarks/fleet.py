# SPDX-License-Identifier: Apache-2.0
"""Lives of a fleet: started, killed one by one and all at once, changed, asked, stopped."""

import os
import random
import signal
import subprocess
import time

from machine import Wrong, cpu_ns, median, name_of, now, pss_mb, reap, send, ticks, wait_until, wakeups
from supervisors import Orch, Service

MS = 1e6
KILLS = 50
# Who takes a second for each is known well enough by then.
KILLING_SECONDS = 3.0
STATUS_CALLS = 10
PEER_IDLE_SECONDS = 5.0


def fleet(machine, count, **more):
    return [Service(machine, number, **more) for number in range(count)]


def started(it, services):
    """Starts them; milliseconds until the last one's first instruction."""
    it.configure(services)
    it.prepare()
    begun = now()
    it.start()
    return (max(it.all_up()) - begun) / MS


def life(machine, kind, results, wanted, count):
    """One life of a supervisor with so many plain services: whatever of it is wanted, in the order that disturbs least."""
    with kind(machine) as it:
        results.add(kind.name, f"start {count}", started(it, fleet(machine, count)))
        if not wanted & {"G4", "G5", "G6", "G7", "G9", "G11", "G12"}:
            return
        time.sleep(it.rest_seconds)
        if kind is not Orch and "G6" in wanted:
            results.add(kind.name, f"memory {count}", pss_mb(it.own()))
        if kind is not Orch and "G7" in wanted and not kind.name.startswith("limit"):
            peer_idle(it, results)
        if "G11" in wanted and it.status_command():
            taken = status(it)
            results.add(kind.name, "status", median(taken))
            if kind is Orch:
                results.add(kind.name, "status first", taken[0])
        if "G4" in wanted:
            for latency in kill_some(it):
                results.add(kind.name, "restart", latency)
        if "G5" in wanted:
            kill_all(it, results)
        if "G12" in wanted:
            change_one(it, results)
        if "G9" in wanted:
            stop_all(it, results)


def status(it):
    """Milliseconds of status commands, each from before its process is there to after it is gone."""
    taken = []
    for _ in range(STATUS_CALLS):
        begun = now()
        it.call(it.status_command(), output=subprocess.PIPE)
        taken.append((now() - begun) / MS)
        if taken[-1] > 1000:
            break
    return taken


def kill_some(it):
    """Milliseconds from each SIGKILL to the replacement's first instruction, one service after another."""
    count, words = len(it.services), it.slots.words
    latencies, end = [], time.monotonic() + KILLING_SECONDS
    for number in random.sample(range(count), min(KILLS, count)):
        old, begun = words[4 * number + 1], now()
        os.kill(old, signal.SIGKILL)
        if not wait_until(lambda: words[4 * number] > begun and words[4 * number + 1] != old, 15, 0.0003):
            raise Wrong(f"{it.name}: a service that was killed did not come back within 15 s")
        latencies.append((words[4 * number] - begun) / MS)
        time.sleep(0.005)
        if time.monotonic() > end:
            break
    return latencies


def kill_all(it, results):
    time.sleep(it.rest_seconds)
    own, pids = it.own(), it.slots.pids(len(it.services))
    spent, begun = cpu_ns(own), now()
    for pid in pids:
        send(pid, signal.SIGKILL)
    back = it.slots.wait_started(len(pids), begun, 60)
    results.add(it.name, "storm", (max(back) - begun) / MS)
    # The bookkeeping after it belongs to it.
    time.sleep(0.5)
    results.add(it.name, "storm cpu", (cpu_ns(own) - spent) / MS)
    time.sleep(it.rest_seconds)


def change_one(it, results):
    """Changes the command of one service, and sees that the others are left alone."""
    count = len(it.services)
    number, before, begun = random.randrange(count), it.slots.pids(count), now()
    commands = it.change(number)
    if commands is None:
        return
    for command in commands:
        it.call(command)
    if not wait_until(lambda: it.slots.words[4 * number] > begun, 20):
        raise Wrong(f"{it.name}: the changed service did not start again")
    results.add(it.name, "change", (it.slots.words[4 * number] - begun) / MS)
    time.sleep(it.rest_seconds)
    after = it.slots.pids(count)
    moved = sum(1 for i in range(count) if i != number and after[i] != before[i])
    with open(f"/proc/{after[number]}/cmdline", "rb") as file:
        if not file.read().endswith(b"changed\0"):
            raise Wrong(f"{it.name}: the changed service runs its old command")
    if moved:
        raise Wrong(f"{it.name}: {moved} services that did not change were started again")
    if isinstance(it, Orch):
        for _ in range(3):
            begun = now()
            it.apply()
            results.add(it.name, "no-op", (now() - begun) / MS)
        if it.slots.pids(count) != after:
            raise Wrong("an apply that changes nothing started services again")


def stop_all(it, results):
    count, begun = len(it.services), now()
    it.stop()
    if not it.wait_stopped():
        raise Wrong(f"{it.name}: some processes are left after the stop")
    results.add(it.name, "gone", (now() - begun) / MS)
    stops = it.slots.stops(count)
    if min(stops) < begun:
        raise Wrong(f"{it.name}: {sum(stop < begun for stop in stops)} services ended without having been told")
    results.add(it.name, "told", (max(stops) - begun) / MS)


def peer_idle(it, results):
    """A short look, scaled to a minute: to see who sleeps and who doesn't."""
    own, scale = it.own(), 60 / PEER_IDLE_SECONDS
    before = wakeups(own), ticks(own)
    time.sleep(PEER_IDLE_SECONDS)
    results.add(it.name, "idle wake-ups", (wakeups(own) - before[0]) * scale)
    results.add(it.name, "idle ticks", (ticks(own) - before[1]) * scale)


def memory(machine, results, count):
    """What orch holds for services whose output it captures."""
    with Orch(machine) as it:
        started(it, fleet(machine, count, log=""))
        time.sleep(1.5)
        own = it.own()
        results.add(it.name, f"memory {count}", pss_mb(own))
        results.note("G6", f"{len(own)} processes of orch")


def idle(machine, results, count, seconds, meanwhile):
    """Orch with nothing to do. What else is measured in that time has its own processes, and no word with this daemon."""
    with Orch(machine) as it:
        started(it, fleet(machine, count))
        # What a start leaves to do, as writing the history, is not idleness.
        time.sleep(5)
        own = it.own()
        before, end = (wakeups(own), ticks(own)), time.monotonic() + seconds
        meanwhile()
        time.sleep(max(0, end - time.monotonic()))
        scale = 60 / (time.monotonic() - end + seconds)
        results.add(it.name, "idle wake-ups", (wakeups(own) - before[0]) * scale)
        results.add(it.name, "idle ticks", (ticks(own) - before[1]) * scale)
        reap()


def take_over(machine, results, count):
    """kill -9 of the daemon, until the next one answers at its socket."""
    with Orch(machine) as it:
        started(it, fleet(machine, count))
        time.sleep(it.rest_seconds)
        pids, old = it.slots.pids(count), it.daemon()
        if old is None:
            raise Wrong("there is no orchd to kill")
        begun = now()
        os.kill(old, signal.SIGKILL)
        _, answered = it.next_daemon(old)
        results.add(it.name, "take-over", (answered - begun) / MS)
        time.sleep(it.rest_seconds)
        if it.slots.pids(count) != pids or not all(os.path.exists(f"/proc/{pid}") for pid in pids):
            raise Wrong("a service was lost or started again when the daemon was killed")
        it.stop()
        if not it.wait_stopped():
            raise Wrong("orch down left processes after the daemon was killed")


def upgrade(machine, results, count, rounds):
    """Restarts and upgrades of the daemon under so many services: how long, and what of the keeper's CPU they take."""
    with Orch(machine) as it:
        started(it, fleet(machine, count))
        time.sleep(it.rest_seconds)
        pids = it.slots.pids(count)
        keeper = next((pid for pid in it.own() if name_of(pid) == "orch-keeper"), None)
        if keeper is None:
            raise Wrong("there is no orch-keeper")
        for word in ["restart", "upgrade"] * rounds:
            spent, begun = cpu_ns([keeper]), now()
            if it.call([it.program, "daemon", word]).returncode != 0:
                raise Wrong(f"orch daemon {word} failed")
            results.add(it.name, f"{word} time", (now() - begun) / MS)
            results.add(it.name, f"{word} keeper", (cpu_ns([keeper]) - spent) / MS)
        if it.slots.pids(count) != pids:
            raise Wrong("a service was lost or started again by an upgrade of the daemon")
