# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which machine this is: what a reader needs beside a measurement, and whether it compiles."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return what a reader needs to compare two runs: processor, cores, memory, system, Python."""
    return {
        "processor": _cpu_field("model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "amx": "amx_tile" in _cpu_field("flags").split(),
        "avx512": "avx512f" in _cpu_field("flags").split(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def integer_sums_saturate() -> bool:
    """Return whether int8 products lose what does not fit 16 bits, without a word.

    They do on x86 processors without VNNI or AMX, whose `vpmaddubsw` saturates. Source: oneDNN's
    developer guide, "Nuances of int8 computations".
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    return not {"avx512_vnni", "avx_vnni", "amx_int8"} & set(_cpu_field("flags").split())


def has_compiler() -> bool:
    """Return whether PyTorch will find a C++ compiler ($CXX, g++ or clang++)."""
    return any(shutil.which(name) for name in (os.environ.get("CXX") or "g++", "g++", "clang++"))


def _cpu_field(name: str) -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
