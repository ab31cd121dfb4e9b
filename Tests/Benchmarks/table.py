# SPDX-License-Identifier: Apache-2.0
"""The budgets, what was measured, and the table of both."""

import dataclasses

from machine import median, percentile


@dataclasses.dataclass
class Row:
    """One budget. With `of_limit` it is a multiple of what the machine itself takes in the same run (L), else in its unit."""

    number: str
    what: str
    metric: str
    unit: str
    # None where nothing was promised.
    budget: float | None
    moonshot: float | None
    of_limit: bool = False
    more_is_better: bool = False
    # Of all values: their median, their 99th of a hundred, their best or their worst.
    choice: str = "median"
    peers: str = ""


ROWS = [
    Row("G1", "apply of 1,000: command to the last first instruction", "start 1000", "ms", 2.5, 1.4, of_limit=True),
    Row("G2", "apply of 1", "start 1", "ms", 15, 6),
    Row("G3", "cost for each of {most:,}, over each of 1,000", "growth", "%", 15, 5),
    Row("G4", "SIGKILL of one of 1,000 to its replacement: median", "restart", "ms", 1.5, 1.15, of_limit=True),
    Row("G4", "the same: p99, against the limit's", "restart", "ms", 2, 1.3, of_limit=True, choice="p99"),
    Row("G5", "SIGKILL of all 1,000 to all back", "storm", "ms", 1.8, 1.1, of_limit=True),
    Row("G5", "the same: CPU of the supervisor", "storm cpu", "ms", 3, 2, of_limit=True),
    Row("G6", "memory (PSS) with 1 service", "memory 1", "MB", 8, 4, peers="without capture"),
    Row("G6", "memory (PSS) with 1,000, logs captured", "memory 1000", "MB", 12, 6, peers="without capture"),
    Row("G7", "idle with 1,000: wake-ups in 60 s", "idle wake-ups", "", 0, 0, peers="scaled from 5 s"),
    Row("G7", "idle with 1,000: CPU ticks in 60 s", "idle ticks", "", 0, 0, peers="scaled from 5 s"),
    Row("G8", "logs of 1 writer, against a 64 KiB copy loop", "log 1", "MB/s", 0.8, 0.95, True, True),
    Row("G8", "logs of 8 writers", "log 8", "MB/s", 1.0, 1.5, True, True),
    Row("G8", "lines lost, doubled or torn", "log faults", "", 0, 0, choice="worst"),
    Row("G8", "the same, the daemon killed every 100 ms", "log faults under kills", "", 0, 0, choice="worst"),
    Row("G9", "down of 1,000: the last one told", "told", "ms", 2, 1.2, of_limit=True),
    Row("G9", "down of 1,000: all gone", "gone", "ms", 2, 1.2, of_limit=True),
    Row("G10", "chain of 100, ready by notification: an edge over the limit's", "edge", "µs", 300, 100, peers="executed only"),
    Row("G11", "status --json with 1,000, whole process", "status", "ms", 10, 5, of_limit=True),
    Row("G11", "the first of them, which measures memory and CPU anew", "status first", "ms", None, None),
    Row("G12", "apply with 1 of 1,000 changed, to the new process", "change", "ms", 30, 12),
    Row("G12", "apply with nothing changed", "no-op", "ms", 15, 8),
    Row("G13", "kill -9 of the daemon with 1,000 until the next answers", "take-over", "ms", 200, 50),
    Row("upgrade", "daemon upgrade with 1,000, command to the new one's answer", "upgrade time", "ms", None, None),
    Row("upgrade", "the keeper's CPU for it: handing over, becoming another", "upgrade keeper", "ms", None, None),
    Row("upgrade", "the keeper's CPU for a restart: handing over", "restart keeper", "ms", None, None),
    Row("G14", "validate of 10,000", "validate", "ms", 250, 120),
    Row("G15", "simulator: turns in a second of one core", "turns", "", 50_000, 500_000, more_is_better=True, choice="best"),
    Row("G16", "1,000 HTTP probes a second: CPU of one core", "probe cpu", "%", 30, 15),
    Row("G16", "the same: late by, p99", "probe late", "ms", 50, 10),
    Row("cost", "a crash among 10,000, in instructions of one among 100", "cost", "x", 2, 1.2),
]
NUMBERS = list(dict.fromkeys(row.number for row in ROWS))


class Results:
    """What was measured: for each who and metric all values; and what has to be said of a row."""

    def __init__(self):
        self.measured, self.notes, self.missing, self.wrongs, self.failed = {}, {}, {}, [], {}

    def add(self, who, metric, value):
        self.measured.setdefault(metric, {}).setdefault(who, []).append(value)

    def values(self, who, metric):
        return self.measured.get(metric, {}).get(who, [])

    def names(self, metric):
        return list(self.measured.get(metric, {}))

    def median(self, who, metric):
        values = self.values(who, metric)
        return median(values) if values else None

    def note(self, number, text):
        if text not in self.notes.setdefault(number, []):
            self.notes[number].append(text)

    def unmeasured(self, number, why):
        self.missing[number] = why

    def wrong(self, text):
        self.wrongs.append(text)

    def of(self, who, row):
        values = self.values(who, row.metric)
        if not values:
            return None
        if row.choice == "p99":
            return percentile(values, 0.99)
        if row.choice == "median":
            return median(values)
        return max(values)

    def limit(self, row):
        """The best of the loops, each by its own median."""
        found = [self.of(name, row) for name in self.names(row.metric) if name.startswith("limit")]
        return (max if row.more_is_better else min)(found) if found else None


def figure(value, unit=""):
    if value is None:
        return ""
    text = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}".strip()


def verdict(row, value):
    if row.budget is None:
        return "no budget"
    good = (lambda bound: value >= bound) if row.more_is_better else (lambda bound: value <= bound)
    if good(row.moonshot):
        return "moonshot"
    return "pass" if good(row.budget) else "falls short"


def against(row, value, limit):
    """The value as the budget counts it."""
    if value is None or (row.of_limit and not limit):
        return None
    return value / limit if row.of_limit else value


def line(row, results, sizes):
    """Number, what, orch's value, as counted, L, budget, moonshot, verdict."""
    value, limit = results.of("orch", row), results.limit(row)
    counted, unit = against(row, value, limit), "L" if row.of_limit else row.unit
    sign = "" if row.budget is None else "≥ " if row.more_is_better else "≤ "
    judged = "not measured" if counted is None else verdict(row, counted)
    return [
        row.number, row.what.format(**sizes), figure(value, row.unit), f"{counted:.2f} L" if row.of_limit and counted is not None else "",
        figure(limit, row.unit) if row.of_limit else "", f"{sign}{figure(row.budget, unit)}", figure(row.moonshot, unit), judged]


def peers_line(row, results, peers):
    limit, unit = results.limit(row), "L" if row.of_limit else row.unit
    found = [(name, against(row, results.of(name, row), limit)) for name in peers]
    text = ", ".join(f"{name} {figure(value, unit)}" for name, value in found if value is not None)
    return f"{text}{f' ({row.peers})' if row.peers else ''}" if text else ""


def show(results, wanted, peers, sizes):
    """The table; and how many rows have which verdict."""
    rows = [row for row in ROWS if row.number in wanted]
    head = ["row", "what", "orch", "ratio", "limit L", "budget", "moonshot", "verdict"]
    lines = [line(row, results, sizes) for row in rows]
    widths = [max(len(each[i]) for each in [head, *lines]) for i in range(len(head))]

    def laid(each):
        right = {2, 3, 4, 5, 6}
        return "  ".join(text.rjust(w) if i in right else text.ljust(w) for i, (text, w) in enumerate(zip(each, widths))).rstrip()

    print(laid(head))
    counts, said = {}, set()
    for row, each in zip(rows, lines):
        print(laid(each))
        counts[each[-1]] = counts.get(each[-1], 0) + 1
        if text := peers_line(row, results, peers):
            print(f"{'':{widths[0]}}    {text}")
        last = row is [other for other in rows if other.number == row.number][-1]
        for note in results.notes.get(row.number, []) if last else []:
            print(f"{'':{widths[0]}}    {note}")
        if each[-1] == "not measured" and row.number not in said:
            said.add(row.number)
            print(f"{'':{widths[0]}}    {results.missing.get(row.number, 'nothing came of it')}")
    verdicts = ("moonshot", "pass", "falls short", "not measured", "no budget")
    print("\n" + ", ".join(f"{counts[key]} {key}" for key in verdicts if key in counts))
