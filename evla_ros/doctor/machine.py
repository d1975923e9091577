# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Python, the libraries, memory and disk."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from evla_ros.doctor.finding import Finding, note, ok, red

SUPPORTED = ((3, 10), (3, 14))
REQUIRED = ("numpy", "pydantic", "PyYAML")
EXTRAS = {
    "model": ("transformers", "safetensors", "tokenizers"),
    "data": ("rosbags", "mcap", "opencv-python-headless", "pillow", "av"),
    "sim": ("mujoco", "pillow", "av"),
}
# Two raw 640x480 cameras at 30 Hz.
RAW_BYTES_PER_S = 55e6


def check(folder: Path) -> Iterator[Finding]:
    """Look at this interpreter and machine; `folder` is where bags would go."""
    yield _python()
    for package in REQUIRED:
        found = _version(package)
        fix = f"pip install {package}"
        yield ok("machine", package, found) if found else red("machine", package, "missing", fix)
    yield from (_extra(extra, packages) for extra, packages in EXTRAS.items())
    yield _memory()
    yield _disk(folder)


def _python() -> Finding:
    seen = f"{platform.python_version()} at {sys.executable}"
    if SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        return ok("machine", "Python", seen)
    return red("machine", "Python", seen, "use Python 3.10 to 3.14, as in `PYTHON=python3.12 make`")


def _extra(extra: str, packages: tuple[str, ...]) -> Finding:
    versions = {package: _version(package) for package in packages}
    missing = [package for package, version in versions.items() if not version]
    if missing:
        seen = f"missing: {', '.join(missing)}"
        return note("machine", f"extra {extra}", seen, f"pip install 'evla_ros[{extra}]'")
    return ok("machine", f"extra {extra}", ", ".join(f"{p} {v}" for p, v in versions.items()))


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    seen = f"{total:.1f} GiB, {len(os.sched_getaffinity(0))} cores for this process"
    if total < 3.5:
        return note("machine", "memory", seen, "evla-1b in bf16 needs about 3.2 GiB; use evla-nano")
    return ok("machine", "memory", seen)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    minutes = free / RAW_BYTES_PER_S / 60
    seen = f"{free / 1e9:.0f} GB free in {folder.resolve()}: {minutes:.0f} min of two raw cameras"
    if free < 2e9:
        return red("machine", "disk", seen, "free some space, or record to another disk")
    if minutes < 10:
        return note("machine", "disk", seen, "free some space before a recording session")
    return ok("machine", "disk", seen)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
