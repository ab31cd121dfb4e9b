#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What orch costs: every budget in one run, beside the machine's own limit and every supervisor that is installed.

    bench.py DIST [--sim ORCH-SIM] [--rounds 5] [--peer-rounds 1] [--full] [ROW...]

DIST is a folder with bin/orch in it; ROWs are as G1 G4 (all). Ends with 0 whether or not budgets are met, with 1 when something is wrong
that no budget excuses: a line lost, a service lost, one that did not start. docs/performance.md says what the rows mean.
"""

import argparse
import os
import random
import signal
import sys
import time

sys.dont_write_bytecode = True

import fleet
import logs
import single
from machine import Machine, Wrong
from peers import PEERS
from supervisors import LIMITS, Limit, LimitNoWait, Orch
from table import NUMBERS, Results, show

COUNT = 1000
IN_ONE_LIFE = {"G1", "G3", "G4", "G5", "G9", "G11", "G12"}
OF_PEERS = IN_ONE_LIFE - {"G3"} | {"G6", "G7"}


class Bench:
    def __init__(self, options, machine):
        self.machine, self.results, self.options = machine, Results(), options
        self.wanted, self.rounds = set(options.rows), options.rounds
        self.begun, self.spent = time.monotonic(), {}
        self.peers = [peer for peer in PEERS if peer.is_installed()]
        self.larger = [5_000, 10_000] if options.full else [5_000]
        self.megabytes = 400 if options.full else 200

    def attempt(self, who, number, action, *arguments):
        """What fails of orch or the limit is wrong; what fails of a peer is said. Either way the others are measured."""
        begun = time.monotonic()
        if sys.stderr.isatty():
            print(f"\r\033[K{begun - self.begun:4.0f} s  {number}  {who}", end="", file=sys.stderr, flush=True)
        try:
            action(self.machine, *arguments)
        except Exception as error:
            if who in (peer.name for peer in self.peers):
                self.results.note(number, f"{who} failed: {error}")
            else:
                self.results.wrong(f"{number}: {who}: {type(error).__name__}: {error}")
            self.machine.clear()
        self.spent[number] = self.spent.get(number, 0) + time.monotonic() - begun

    def kinds(self, turn, also=lambda peer: True):
        """Whose turn it is, in an order that differs each time, so that no one is always the one after the worst neighbour."""
        found = [*LIMITS, Orch]
        if turn < self.options.peer_rounds:
            found += [peer for peer in self.peers if also(peer)]
        random.shuffle(found)
        return found

    def lives(self):
        wanted = self.wanted
        for turn in range(self.rounds):
            for kind in self.kinds(turn):
                is_peer = kind in self.peers
                if wanted & (OF_PEERS if is_peer else IN_ONE_LIFE) and COUNT <= kind.most:
                    self.attempt(kind.name, "G1", fleet.life, kind, self.results, wanted, COUNT)
                # The limit's own growth is there to explain, and no part of the verdict.
                if "G3" in wanted and (kind is Orch or kind is LimitNoWait and turn == 0):
                    for count in self.larger:
                        self.attempt(kind.name, "G3", fleet.life, kind, self.results, set(), count)
                if wanted & ({"G2", "G6"} if is_peer else {"G2"}) and kind not in LIMITS:
                    self.attempt(kind.name, "G2", fleet.life, kind, self.results, wanted & {"G6"}, 1)
            if "G6" in wanted:
                for count in 1, COUNT:
                    self.attempt("orch", "G6", fleet.memory, self.results, count)
            if "G13" in wanted:
                self.attempt("orch", "G13", fleet.take_over, self.results, COUNT)

        if "upgrade" in wanted:
            self.attempt("orch", "upgrade", fleet.upgrade, self.results, COUNT, self.rounds)

    def growth(self):
        """What a service costs among more of them, and how much of that is the machine's own."""
        sizes = [COUNT, *self.larger]
        for name in "orch", LimitNoWait.name:
            medians = [self.results.median(name, f"start {count}") for count in sizes]
            if None in medians:
                continue
            each = [1000 * total / count for total, count in zip(medians, sizes)]
            if name == "orch":
                self.results.add(name, "growth", 100 * (each[-1] / each[0] - 1))
            self.results.note("G3", f"{name}: " + ", ".join(f"{cost:,.0f} µs each of {n:,}" for cost, n in zip(each, sizes)))
        if self.larger[-1] < 10_000:
            self.results.note("G3", "10,000 with FULL=1")

    def logs(self):
        for turn in range(self.rounds):
            for count in 1, 8:
                found = [logs.Pump, Orch]
                found += [peer for peer in self.peers if peer.has_logs and turn < self.options.peer_rounds]
                random.shuffle(found)
                for kind in found:
                    self.attempt(kind.name, "G8", logs.throughput, kind, self.results, count, self.megabytes)
        for count in 1, 8:
            self.attempt("orch", "G8", logs.under_kills, self.results, count, 60 if self.options.full else 6)

    def chains(self):
        for turn in range(self.rounds):
            for kind in [Limit, Orch, *self.peers]:
                if kind.has_dependencies and (kind not in self.peers or turn < self.options.peer_rounds):
                    self.attempt(kind.name, "G10", single.chain, kind, self.results)
        single.over_the_limit(self.results)

    def alone(self):
        """What needs no fleet."""
        if "G14" in self.wanted:
            self.attempt("orch", "G14", single.validate, self.results, 10_000, self.rounds)
        self.pace(9)
        if "cost" in self.wanted and self.options.sim:
            self.attempt("the simulator", "cost", lambda _: single.instructions(self.results, self.options.sim))
        for number in {"G15", "cost"} & self.wanted if not self.options.sim else ():
            self.results.unmeasured(number, "it needs the simulator: --sim")

    def pace(self, rounds):
        """At several times: a machine that is shared has slow minutes."""
        if "G15" in self.wanted and self.options.sim:
            self.attempt("the simulator", "G15", lambda _: single.simulate(self.results, self.options.sim, rounds))

    def run(self):
        wanted = self.wanted
        self.pace(3)
        if wanted & (OF_PEERS | {"G2", "G13", "upgrade"}):
            self.lives()
        if "G3" in wanted:
            self.growth()
        if "G8" in wanted:
            self.logs()
        self.pace(3)
        if "G10" in wanted:
            self.chains()
        if "G16" in wanted:
            self.attempt("orch", "G16", single.probes, self.results, 10)
        if "G7" in wanted:
            self.attempt("orch", "G7", fleet.idle, self.results, COUNT, 60, self.alone)
        else:
            self.alone()

    def report(self):
        names = [peer.name for peer in self.peers]
        absent = [peer.name for peer in PEERS if peer not in self.peers]
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        print(
            f"orch {Orch.version}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, in {os.path.dirname(self.machine.folder)},"
            f" {time.monotonic() - self.begun:.0f} s ({', '.join(f'{row} {spent:.0f}' for row, spent in self.spent.items())})")
        print(
            f"medians of {self.rounds} rounds; L is the best of three C loops that only clone, exec and poll, measured in the same rounds\n"
            f"peers ({self.options.peer_rounds} round{'s'[:self.options.peer_rounds - 1]}): {', '.join(names) or 'none'};"
            f" not installed: {', '.join(absent) or 'none'}\n")
        show(self.results, [number for number in NUMBERS if number in self.wanted], names, {"most": self.larger[-1]})
        for text in self.results.wrongs:
            print(f"WRONG  {text}")
        return bool(self.results.wrongs)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dist")
    parser.add_argument("rows", nargs="*", metavar="ROW", default=NUMBERS)
    parser.add_argument("--sim", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-rounds", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="10,000 services, 400 MB of logs, 60 s of kills")
    chosen = parser.parse_intermixed_args()
    chosen.rows = chosen.rows or NUMBERS
    if unknown := [row for row in chosen.rows if row not in NUMBERS]:
        parser.error(f"no such row: {' '.join(unknown)}; there are {' '.join(NUMBERS)}")
    return chosen


def main():
    chosen = options()
    Orch.use(os.path.join(chosen.dist, "bin", "orch"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine = Machine()
    try:
        bench = Bench(chosen, machine)
        bench.run()
        return bench.report()
    finally:
        machine.end()


if __name__ == "__main__":
    sys.exit(main())
