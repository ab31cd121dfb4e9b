#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes CalendarTruth.swift: what cron expressions come to in real time zones, found by counting every minute with Python's zoneinfo.

Slow on purpose and built on nothing of orch: each minute of local time is looked at, no jump is taken.
"""
import datetime as dt, random, struct, sys, zoneinfo

UTC = dt.timezone.utc
NAMES = {n: i for i, n in enumerate("sun mon tue wed thu fri sat".split())}
MONTHS = {n: i + 1 for i, n in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
LONG = {"@yearly": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@hourly": "0 * * * *"}


def field(text, low, high, names):
    found = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            a, b = low, high
        else:
            ends = [names.get(e, None) if e in names else int(e) for e in span.split("-")]
            a = ends[0]
            b = ends[1] if len(ends) == 2 else (high if step else a)
            if names is NAMES and len(ends) == 2 and b == 0 and a > 0:
                b = 7
        found |= set(range(a, b + 1, int(step or 1)))
    return {v % 7 for v in found} if names is NAMES else found


class Cron:
    def __init__(self, text):
        parts = LONG.get(text, text).split()
        self.minutes, self.hours = field(parts[0], 0, 59, {}), field(parts[1], 0, 23, {})
        self.days, self.months = field(parts[2], 1, 31, {}), field(parts[3], 1, 12, MONTHS)
        self.weekdays = field(parts[4], 0, 6, NAMES)
        self.either = parts[2][0] != "*" and parts[4][0] != "*"
        self.hourly = len(self.hours) == 24

    def day(self, d):
        day, weekday = d.day in self.days, d.isoweekday() % 7 in self.weekdays
        return d.month in self.months and ((day or weekday) if self.either else (day and weekday))


def instants(cron, zone, start, count):
    """The first `count` UTC seconds after `start`."""
    found, day = set(), dt.datetime.fromtimestamp(start, zone).date() - dt.timedelta(days=2)
    last = None
    while len([f for f in found if f > start]) < count + 60 and day.year < start_year(start) + 45:
        # A few days beyond, so that a later local day can't give an earlier instant than those counted.
        if cron.day(day):
            for hour in sorted(cron.hours):
                for minute in sorted(cron.minutes):
                    local = dt.datetime(day.year, day.month, day.day, hour, minute)
                    a = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
                    exists = a.astimezone(zone).replace(tzinfo=None) == local
                    if exists:
                        found.add(int(a.timestamp()))
                        if cron.hourly:
                            found.add(int(local.replace(tzinfo=zone, fold=1).astimezone(UTC).timestamp()))
                    elif not cron.hourly:
                        found.add(end_of_gap(zone, int(a.timestamp())))
        day += dt.timedelta(days=1)
    return sorted(f for f in found if f > start)[:count]


def start_year(start):
    return dt.datetime.fromtimestamp(start, UTC).year


def end_of_gap(zone, second):
    """The second at which the clock jumped, within two days."""
    offset = lambda s: dt.datetime.fromtimestamp(s, zone).utcoffset()
    low, high = second - 172_800, second + 172_800
    before = offset(low)
    assert offset(high) != before
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    return high


def tzfile(name):
    """(initial offset, [(at, offset)], rule) since 2005."""
    for root in zoneinfo.TZPATH:
        try:
            data = open(f"{root}/{name}", "rb").read()
            break
        except OSError:
            pass
    skip = lambda o: struct.unpack(">6l", data[o + 20:o + 44])
    isut, isstd, leap, time, typ, char = skip(0)
    at = 44 + time * 5 + typ * 6 + char + leap * 8 + isstd + isut
    isut, isstd, leap, time, typ, char = skip(at)
    at += 44
    times = struct.unpack(f">{time}q", data[at:at + 8 * time])
    kinds = data[at + 8 * time:at + 9 * time]
    types = [struct.unpack(">lbb", data[at + 9 * time + 6 * k:at + 9 * time + 6 * k + 6])[0] for k in range(typ)]
    rule = data[at + 9 * time + 6 * typ + char + leap * 12 + isstd + isut:].decode().strip()
    initial, kept = types[0], []
    for t, k in zip(times, kinds):
        if t < 1_104_537_600:
            initial = types[k]
        elif name not in STEADY or t < 1_209_600_000:  # 2008: from there on the rule holds in these
            kept.append((t, types[k]))
    return initial, kept, rule


ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Etc/UTC", "Europe/Dublin", "America/Nuuk", "Asia/Kolkata", "Pacific/Apia"]
# Those whose rule is older than the moves that are left out.
STEADY = {"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin"}
CRONS = [
    "30 2 * * *", "0 3 * * *", "*/15 * * * *", "5,35 1-3 * * *", "0 0 * * *", "59 23 31 12 *", "0 12 29 feb *", "@hourly", "@weekly",
    "@monthly", "15 2 * * sun", "0 4 13 * fri", "0 4 */2 * mon", "*/20 2 1-7 * 7", "0 9-17/4 * * mon-fri", "45 1 * mar,oct,nov,apr sat-sun",
    "10 0-23 * * *", "7 3/6 1,15 */3 *", "0 2 28-31 * *", "30 23 * * 5-7",
]


def main():
    random.seed(20_261_121)
    rows = []
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        moves = moves_of(zone)
        for cron in CRONS:
            starts = [random.choice(moves) - random.randrange(0, 90_000) for _ in range(2)] if moves else []
            if random.random() < 0.3: starts.append(random.randrange(1_199_145_600, 4_102_444_800))
            if cron in ("0 12 29 feb *", "30 2 * * *"):
                starts += [4_000_000_000 + random.randrange(0, 10_000_000), 7_250_000_000]
            for start in starts:
                found = instants(Cron(cron), zone, start, 4)
                rows.append(f"{name}|{cron}|{start}|" + " ".join(str(f - start) for f in found))
    print("// SPDX-License-Identifier: Apache-2.0\n")
    print("/// Written by Tests/calendar-truth.py, which counts minutes with Python's zoneinfo.\n// swift-format-ignore\nenum CalendarTruth {")
    print("    /// Name, offset before all, moves of the clock (second of UTC, offset from then on), rule for the years after.")
    print('    static let zones = """')
    for name in ZONES:
        initial, moves, rule = tzfile(name)
        for first in range(0, max(1, len(moves)), 4):
            part = " ".join(f"{t},{o}" for t, o in moves[first:first + 4])
            print(f"        {name}|{initial}|{part}|{rule}")
    print('        """\n')
    print("    /// Zone, expression, a second of UTC, and how many seconds after it the expression is due.")
    print('    static let instants = """')
    for row in rows:
        print("        " + row)
    print('        """\n}')


def moves_of(zone):
    """Seconds at which the clock is moved between 2008 and 2040."""
    found, offset = [], None
    for day in range(13_879, 25_568):
        now = dt.datetime.fromtimestamp(day * 86_400, zone).utcoffset()
        if offset is not None and now != offset:
            found.append(day * 86_400 - 40_000)
        offset = now
    return found


main()
