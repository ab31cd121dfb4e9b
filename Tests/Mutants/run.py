#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants every bug of `mutants.txt` and asks the simulator to find it: the proof that the simulator bites.

All bugs are planted at once in a copy of the sources, each behind a number, so that one build is enough; `orch-sim` then runs once
for each number. The sources that people read know nothing of it.

    run.py [NAME...]      all of them, or those named; exits with 1 if one is not found within its seeds
    run.py --check        only sees that each has its place in the sources, once
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / ".build-mutants"
TREE = COPY / "tree"
# A planted bug may make the daemon spin where no rule looks; that is a finding too, but one that says little.
PATIENCE_SECONDS = 300

# What the simulator is made of; each depends on those before it.
MODULES = ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "OrchSimulator", "orch-sim"]
PACKAGE = """// swift-tools-version: 6.2
import PackageDescription
let modules = %s
let package = Package(
    name: "planted",
    targets: modules.enumerated().map { place, name in
        let needs = modules[..<place].map { Target.Dependency(stringLiteral: $0) }
        let settings: [SwiftSetting] = [
            .swiftLanguageMode(.v6), .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
        ]
        return place == modules.count - 1
            ? .executableTarget(name: name, dependencies: needs, swiftSettings: settings)
            : .target(
                name: name, dependencies: needs, swiftSettings: settings,
                linkerSettings: place == 0 ? [.linkedLibrary("m")] : [])
    })
""" % str(MODULES).replace("'", '"')

SWITCH = """// SPDX-License-Identifier: Apache-2.0

/// Which of the planted bugs is awake; 0 is none.
public enum Planted {
    nonisolated(unsafe) public static var number = 0
    @inline(__always) public static func isAwake(_ which: Int) -> Bool { unsafe number == which }
}
"""


class Mutant:
    """One planted bug: an expression replaced by another, or a statement left out."""

    def __init__(self, name, story):
        self.name, self.story = name, story
        self.file, self.seeds, self.replace, self.by, self.omit = "", 100, None, None, None

    def planted(self, number, text):
        """The text with the bug in it, asleep until it is called by its number."""
        pattern = self.omit or self.replace
        before, _, rest = pattern.partition("[[") if "[[" in pattern else ("", "", pattern)
        old, _, after = rest.partition("]]")
        found = re.findall(f"({loose(before)})({loose(old)})({loose(after)})", text)
        if len(found) != 1:
            raise LookupError(f"mutants: {self.name}: {len(found)} places in {self.file} read\n  {pattern}")
        before, old, after = found[0]
        asleep = f"if !Planted.isAwake({number}) {{ {old} }}"
        swapped = f"(Planted.isAwake({number}) ? ({self.by}) : ({old}))"
        return text.replace(before + old + after, before + (asleep if self.omit else swapped) + after)


def loose(words):
    """A pattern for the words, however the source breaks its lines."""
    spaced = r"\s*".join(re.escape(word) for word in words.split())
    return (r"\s*" if words[:1] == " " else "") + spaced + (r"\s*" if spaced and words[-1:] == " " else "")


def read(path):
    """The list: blocks of `mutant`, `file`, `within`, and `replace` with `by`, or `omit`."""
    mutants = []
    for count, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, rest = line.partition(" ")
        if key == "mutant":
            name, _, story = rest.partition(": ")
            mutants.append(Mutant(name, story))
        elif key == "within":
            mutants[-1].seeds = int(rest.split()[0])
        elif key in ("file", "replace", "by", "omit"):
            setattr(mutants[-1], key, rest)
        else:
            sys.exit(f"mutants: {path.name}:{count}: what is \"{key}\"?")
    return mutants


def grown(mutants):
    """The sources with the bugs in them, by their place; ends when one has no place, or several."""
    texts = {}
    strayed = []
    for number, mutant in enumerate(mutants, 1):
        text = texts.get(mutant.file) or (ROOT / mutant.file).read_text()
        try:
            texts[mutant.file] = mutant.planted(number, text)
        except LookupError as error:
            strayed.append(str(error))
    if strayed:
        sys.exit("\n".join(strayed))
    return texts


def plant(mutants):
    """Writes the copy; files that did not change keep their time, so that the next build is short."""
    kept = {TREE / "Package.swift", TREE / "Sources/OrchModel/Planted.swift"}
    changed = {mutant.file for mutant in mutants} | {"Sources/orch-sim/main.swift"}
    for module in MODULES:
        for file in (ROOT / "Sources" / module).rglob("*.swift"):
            place = file.relative_to(ROOT)
            kept.add(TREE / place)
            if str(place) not in changed:
                write(TREE / place, file.read_text())
    for file in TREE.rglob("*.swift"):
        if file not in kept:
            file.unlink()
    write(TREE / "Package.swift", PACKAGE)
    write(TREE / "Sources/OrchModel/Planted.swift", SWITCH)
    for file, text in grown(mutants).items():
        write(TREE / file, text)
    main = "Sources/orch-sim/main.swift"
    words = "Swift.CommandLine.arguments.dropFirst()"
    text = (ROOT / main).read_text()
    if text.count(words) != 1:
        sys.exit(f"mutants: {main} does not read its words by {words} once")
    call = "unsafe Planted.number = Int(Swift.CommandLine.arguments[1]) ?? 0\n"
    line_start = text.rfind("\n", 0, text.index(words)) + 1
    text = text[:line_start] + call + text[line_start:].replace(words, words.replace("()", "(2)"))
    write(TREE / main, text)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def build():
    """One release build of the simulator with all bugs asleep in it; its program."""
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "orch-sim", "--scratch-path", str(COPY / "build")]
    subprocess.run(command, cwd=TREE, check=True)
    return COPY / "build/release/orch-sim"


def play(program, number, seeds, start, patience):
    """The seeds from `start` that break a rule with what they say, up to the first unless the number is 0; None when it does not end."""
    command = [program, str(number), str(seeds - start + 1), "--from", str(start)] + ([] if number == 0 else ["--first"])
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=patience, env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
    except subprocess.TimeoutExpired:
        return None
    if done.returncode < 0:
        return [(0, f"the daemon crashed (signal {-done.returncode})")]
    return [(int(seed), what[:110]) for seed, what in re.findall(r"^seed (\d+): (.*)$", done.stdout, re.MULTILINE)]


def hunt(program, number, mutant, known):
    """The seed that found the bug and what it said; None and why not. A seed that is broken without any bug finds none."""
    start = time.monotonic()
    seed = 0
    while seed < mutant.seeds:
        found = play(program, number, mutant.seeds, seed + 1, PATIENCE_SECONDS)
        if found is None:
            return None, f"still running after {PATIENCE_SECONDS} s"
        if not found:
            break
        seed, what = found[0]
        if seed not in known:
            return seed, what
    return None, f"not found within {mutant.seeds} seeds ({time.monotonic() - start:.1f} s)"


def main():
    mutants = read(pathlib.Path(__file__).with_name("mutants.txt"))
    if sys.argv[1:] == ["--check"]:
        grown(mutants)
        sys.exit(0)
    plant(mutants)
    program = build()
    chosen = [(n, m) for n, m in enumerate(mutants, 1) if not sys.argv[1:] or m.name in sys.argv[1:]]
    unknown = set(sys.argv[1:]) - {mutant.name for _, mutant in chosen}
    if unknown:
        sys.exit(f"mutants: there is none called {', '.join(sorted(unknown))}")
    sober = play(program, 0, max(mutant.seeds for _, mutant in chosen), 1, 10 * PATIENCE_SECONDS)
    if sober is None or (0, "") in [(seed, "") for seed, _ in sober]:
        sys.exit(f"mutants: with every bug asleep: {sober or 'no end'}")
    for seed, what in sober:
        print(f"with every bug asleep seed {seed} says, and finds none: {what}", flush=True)
    known = {seed for seed, _ in sober}
    missed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda pair: hunt(program, *pair, known), chosen)
        for (_, mutant), (seed, what) in zip(chosen, results):
            mark = "found " if seed is not None else "MISSED"
            place = "-" if seed is None else f"seed {seed}"
            print(f"{mark} {mutant.name:32} {place:>10} of {mutant.seeds:5}  {what}", flush=True)
            if seed is None:
                missed.append(mutant.name)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} planted bugs found")
    sys.exit(1 if missed else 0)


main()
