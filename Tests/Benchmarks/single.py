# SPDX-License-Identifier: Apache-2.0
"""What is measured of orch alone, or of its parts: chains, manifests, the simulator, probes."""

import os
import re
import resource
import shutil
import subprocess
import time

from machine import Wrong, cpu_ns, now, percentile, wait_until
from supervisors import Limit, Orch, Service, manifest

CHAIN = 100
PROBES = 1000
SIMULATED_LIVES = 300


def chain(machine, kind, results):
    """Services that wait for one another; orch's are ready by notification, the others' when they have executed."""
    services = []
    for number in range(CHAIN):
        service = Service(machine, number, after=number - 1 if number else None)
        if kind is Orch:
            service.command.append("notify")
            service.extra = "ready: {notify: true}"
        services.append(service)
    with kind(machine) as it:
        it.configure(services)
        it.prepare()
        it.start()
        starts = it.all_up()
        results.add(kind.name, "chain", (max(starts) - min(starts)) / 1e3 / (CHAIN - 1))
        if kind is Orch and starts != sorted(starts):
            raise Wrong("a service of the chain started before the one that it depends on")


def over_the_limit(results):
    """Microseconds for each edge, less what the limit takes for it."""
    base = results.median(Limit.name, "chain")
    for name in results.names("chain"):
        if base is not None and name != Limit.name:
            for value in results.values(name, "chain"):
                results.add(name, "edge", max(0, value - base))


def validate(machine, results, count, rounds):
    path = f"{machine.fresh('large')}/orch.yaml"
    with open(path, "w") as file:
        file.write(manifest([Service(machine, number) for number in range(count)]))
    for _ in range(rounds):
        begun = now()
        run = subprocess.run([Orch.program, "validate", path], check=False, stdin=subprocess.DEVNULL, capture_output=True)
        if run.returncode != 0:
            raise Wrong("orch validate refuses the manifest of the benchmark")
        results.add("orch", "validate", (now() - begun) / 1e6)


def simulate(results, program, rounds):
    """Turns of the whole daemon in a second of one core's time. It has one thread, so its CPU time is a core's, whoever else runs.
    On a machine that is shared this time varies by a third from minute to minute, and what disturbs it only ever adds: the best counts."""
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run([program, str(SIMULATED_LIVES)], check=False, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = re.search(r", (\d+) turns", run.stdout)
        if not found:
            raise Wrong(f"orch-sim said: {run.stdout}{run.stderr}")
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        results.add("orch", "turns", int(found[1]) / spent)


def instructions(results, program):
    """What a crash and its restart cost among few and among many services, in instructions, which don't depend on who else uses the
    machine: two runs that differ only in how many services crash, and the difference is theirs."""
    if not shutil.which("valgrind"):
        results.unmeasured("cost", "valgrind is not installed")
        return

    def run(services, crashes):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, "--cost", "threes", services, crashes]
        said = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True).stderr
        return int(re.search(r"Collected : (\d+)", said)[1])

    few, many = ((run(services, 600) - run(services, 100)) / 500 for services in (100, 10_000))
    results.add("orch", "cost", many / few)
    results.note("cost", f"{few:,.0f} instructions among 100, {many:,.0f} among 10,000")


def probes(machine, results, seconds):
    """A thousand services that are asked over HTTP every second, by one who keeps a record of when each question came."""
    port_file, record = f"{machine.folder}/port", f"{machine.folder}/record"
    server = subprocess.Popen(
        [machine.program("web"), port_file, record, str(PROBES)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if not wait_until(lambda: os.path.exists(port_file) and os.path.getsize(port_file), 10):
        raise Wrong("the web server of the benchmark did not start")
    with open(port_file) as file:
        port = int(file.read())
    with Orch(machine) as it:
        probe = "health: {{readiness: {{http: {{url: \"http://127.0.0.1:{}/{}\"}}, interval: 1s, timeout: 10s}}}}"
        it.configure([Service(machine, number, extra=probe.format(port, number)) for number in range(PROBES)])
        it.start()
        it.all_up()
        # The first questions come with the starts; then each has its own rhythm.
        time.sleep(2)
        own = [pid for pid in it.own() if pid != server.pid]
        begun, spent = now(), cpu_ns(own)
        time.sleep(seconds)
        ended = now()
        results.add(it.name, "probe cpu", 100 * (cpu_ns(own) - spent) / (ended - begun))
        results.note("G16", judge(record, begun, ended, results))
        server.terminate()
        server.wait()


def judge(record, begun, ended, results):
    """How late each question came after the one before it, beyond the second between them."""
    last, late, count = {}, [], 0
    with open(record, "rb") as file:
        words = memoryview(file.read())
    words = words[: len(words) // 16 * 16].cast("Q")
    for number, moment in zip(words[0::2], words[1::2]):
        if begun <= moment <= ended:
            count += 1
            if number in last:
                late.append(max(0, moment - last[number] - 10**9) / 1e6)
        last[number] = moment
    if not late:
        raise Wrong("no probe reached the web server of the benchmark")
    results.add("orch", "probe late", percentile(late, 0.99))
    return f"{count / ((ended - begun) / 1e9):,.0f} probes a second came; at most {max(late):.0f} ms late"
