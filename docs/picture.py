#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/picture.svg: runs examples/quickstart in a terminal (tmux), types the commands below, and draws what stands there.

    make dist && docs/picture.py

Run by hand when the look of a command changes. It needs tmux 3 and Python 3.9.
"""
import os
import re
import shutil
import subprocess
import tempfile
import time
import unicodedata
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / ".build-release/dist/bin"
COLUMNS, ROWS = 88, 60
# What is typed, and the text by which it is seen to be over.
SCENE = [
    ("orch apply", r"\d of \d ready.* in "),
    ("orch status", r"shopping\s+done\s+\d+s\s+0"),
    ("orch why oven", r"waiting\s+waiting for shopping"),
    ("sed -i s/rye/sourdough/ orch.yaml; orch diff", r"1 to restart\."),
]
PATIENCE = 60  # seconds for each

BACKGROUND, TEXT, FAINT = "#15181e", "#d7dae0", "#7d8590"
COLOURS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea", 95: "#d2a8ff", 96: "#76e3ea"}
CELL, LINE, SIZE, MARGIN, BAR = 8.43, 19.5, 14, 22, 40


def captured() -> list[str]:
    """The lines of the terminal with their colours, after the whole scene."""
    with tempfile.TemporaryDirectory() as folder:
        home, bakery, socket = Path(folder) / "home", Path(folder) / "bakery", Path(folder) / "tmux"
        shutil.copytree(ROOT / "examples/quickstart", bakery, ignore=shutil.ignore_patterns("kitchen"))
        environment = dict(os.environ, ORCH_HOME=str(home), PATH=f"{PROGRAMS}:{os.environ['PATH']}", TERM="xterm-256color")
        environment.pop("NO_COLOR", None)

        def tmux(*words: str) -> str:
            call = ["tmux", "-S", str(socket), "-f", "/dev/null", *words]
            return subprocess.run(call, check=True, env=environment, cwd=bakery, capture_output=True, text=True).stdout

        prompt = Path(folder) / "bashrc"
        prompt.write_text("PS1='$ '\n")
        try:
            tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), f"bash --rcfile {prompt}")
            seen = 0
            for words, end in SCENE:
                wait(lambda: tmux("capture-pane", "-p").rstrip().split("\n")[-1].strip() == "$")
                tmux("send-keys", words, "Enter")
                wait(lambda: re.search(end, "\n".join(tmux("capture-pane", "-p").split("\n")[seen:])))
                seen = len(tmux("capture-pane", "-p").rstrip().split("\n"))
                tmux("send-keys", "", "Enter") if words != SCENE[-1][0] else None
            text = tmux("capture-pane", "-p", "-e").replace(str(bakery), "~/bakery")
        finally:
            subprocess.run([PROGRAMS / "orch", "daemon", "stop"], env=environment, cwd=bakery, stdout=subprocess.DEVNULL)
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], stderr=subprocess.DEVNULL)
    # A prompt at which nothing was typed is only a gap.
    return [re.sub(r"^((?:\x1b\[[0-9;]*m)*)\$ *$", r"\1", line) for line in text.rstrip("$ \n").split("\n")]


def wait(is_so) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit("picture.py: the terminal does not show what it should")
        time.sleep(0.05)


def runs(lines: list[str]):
    """(row, column, text, colour, bold) of all that is not blank. Attributes last over line ends (SGR: ECMA-48 8.3.117)."""
    colour, bold, faint = None, False, False
    for row, line in enumerate(lines):
        column = 0
        for part in re.split(r"(\x1b\[[0-9;]*m)", line):
            code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
            if code:
                for number in [int(word or 0) for word in code[1].split(";")]:
                    if number == 0:
                        colour, bold, faint = None, False, False
                    elif number == 1:
                        bold = True
                    elif number == 2:
                        faint = True
                    elif number == 22:
                        bold, faint = False, False
                    elif number == 39:
                        colour = None
                    elif number in COLOURS:
                        colour = COLOURS[number]
                continue
            for piece in re.finditer(r"\S+(?: \S+)*", part):
                shade = colour or (FAINT if faint else "#f5f7fa" if bold else TEXT)
                yield row, column + width(part[: piece.start()]), piece[0], shade, bold
            column += width(part)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def drawn(lines: list[str]) -> str:
    wide, high = round(2 * MARGIN + COLUMNS * CELL), round(BAR + MARGIN + len(lines) * LINE)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">',
        "<title>orch apply, status, why and diff in a terminal</title>",
        f'<rect width="{wide}" height="{high}" rx="10" fill="{BACKGROUND}"/>',
        *(f'<circle cx="{24 + 20 * at}" cy="20" r="6" fill="{fill}"/>' for at, fill in enumerate(["#ff5f57", "#febc2e", "#28c840"])),
        f'<text x="{wide / 2:.0f}" y="25" fill="{FAINT}" font-family="system-ui,sans-serif" font-size="13" text-anchor="middle">bakery</text>',
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="{SIZE}" xml:space="preserve">',
    ]
    for row, column, text, shade, bold in runs(lines):
        place = f'x="{MARGIN + column * CELL:.1f}" y="{BAR + (row + 0.8) * LINE:.1f}" textLength="{width(text) * CELL:.1f}"'
        weight = ' font-weight="700"' if bold else ""
        out.append(f'<text {place} lengthAdjust="spacingAndGlyphs" fill="{shade}"{weight}>{escape(text)}</text>')
    return "\n".join([*out, "</g>", "</svg>", ""])


if __name__ == "__main__":
    (ROOT / "docs/picture.svg").write_text(drawn(captured()))
