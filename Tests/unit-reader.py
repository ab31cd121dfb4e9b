#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Executes what a unit's ExecStart= says, as systemd.service(5), systemd.exec(5) and systemd.syntax(7) describe it: unit-reader.py FILE.

Written from those pages alone, to hold what `orch export systemd` writes against another reader: words and their quotes, specifiers, dollars,
Environment= and WorkingDirectory=. What it does not know it refuses.
"""
import os
import re
import sys

SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34, "'": 39, "s": 32}


def values(path, section, key):
    found, current = [], None
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if not line or line[0] in "#;":
                continue
            if line.startswith("["):
                current = line.strip()[1:-1]
                continue
            name, _, value = line.partition("=")
            assert not line.endswith("\\"), "a line that goes on is not known here"
            if current == section and name == key:
                found.append(value.strip())
    return found


def words(text):
    """Words apart, quotes and C escapes taken away."""
    result, at = [], 0
    while True:
        while at < len(text) and text[at] in " \t":
            at += 1
        if at == len(text):
            return result
        word, quote = bytearray(), ""
        while at < len(text) and (quote or text[at] not in " \t"):
            letter = text[at]
            at += 1
            if letter == "\\":
                kind = text[at]
                at += 1
                if kind == "x":
                    word.append(int(text[at:at + 2], 16))
                    at += 2
                else:
                    word.append(SIMPLE[kind])
            elif quote:
                if letter == quote:
                    quote = ""
                else:
                    word += letter.encode()
            elif letter in "\"'":
                quote = letter
            else:
                word += letter.encode()
        assert not quote, "a quote is not closed"
        result.append(word.decode())


def unspecified(text):
    """%% is one; all others would be something of the machine."""
    def one(match):
        assert match[0] == "%%", match[0]
        return "%"
    return re.sub("%.?", one, text, flags=re.S)


def expanded(word, environment):
    def one(match):
        if match[0] == "$$":
            return "$"
        return environment.get(match[1], "")
    return re.sub(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}", one, word)


def main():
    unit = sys.argv[1]
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}
    for line in values(unit, "Service", "Environment"):
        for word in words(line):
            name, _, value = unspecified(word).partition("=")
            environment[name] = value
    start = values(unit, "Service", "ExecStart")
    assert len(start) == 1, start
    argv = [unspecified(word) for word in words(start[0])]
    argv = argv[:1] + [expanded(word, environment) for word in argv[1:]]
    os.chdir(unspecified(values(unit, "Service", "WorkingDirectory")[0]))
    os.execvpe(argv[0], argv, environment)


main()
