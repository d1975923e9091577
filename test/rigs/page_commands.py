# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of a page, and `evla` in a process of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def commands_of(page: str, heading: str = "") -> list[list[str]]:
    """Return the argument lists of the `sh` blocks under a heading, without the leading `evla`."""
    return [shlex.split(line)[1:] for line in typed(page, heading) if line.startswith("evla ")]


def typed(page: str, heading: str = "") -> list[str]:
    """Return every line of the `sh` blocks of a page, or of what is under one of its headings."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if heading:
        text = re.split(r"^## ", text.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def chosen(commands: list[list[str]], *words: str) -> list[str]:
    """Return the page's only command that begins with these words."""
    found = [argv for argv in commands if argv[: len(words)] == list(words)]
    assert len(found) == 1, f"the page has {len(found)} commands `evla {' '.join(words)} ...`"
    return found[0]


def insist(argv: list[str], folder: Path, timeout_s: float = 90.0) -> str:
    """Ask until it is granted; returns what was said."""
    end = time.monotonic() + timeout_s
    while True:
        code, said = run(argv, folder)
        if code == 0:
            return said
        assert time.monotonic() < end, said
        time.sleep(0.5)


def start(argv: list[str], folder: Path, **options) -> subprocess.Popen[str]:
    """Start `evla` with these arguments in a folder."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, "-m", "evla_ros", *argv],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(argv: list[str], folder: Path, timeout_s: float = 300.0) -> tuple[int, str]:
    """Run `evla` to its end; returns the exit code and what it said."""
    process = start(argv, folder)
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert "Traceback" not in err, err
    return process.returncode, out + err
