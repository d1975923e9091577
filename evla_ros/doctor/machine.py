# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at this machine: Python, libraries, memory, disk, torch, rendering."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from evla_ros.doctor.finding import MachineFinding, note, ok, red
from evla_ros.errors import EvlaError
from evla_ros.machine import machine

SUPPORTED = ((3, 10), (3, 14))
REQUIRED = ("numpy", "pydantic", "PyYAML")
EXTRAS = {
    "model": ("transformers", "safetensors", "tokenizers"),
    "data": ("rosbags", "mcap", "opencv-python-headless", "pillow", "av"),
    "sim": ("mujoco", "pillow", "av"),
}
# Two raw 640x480 cameras at 30 Hz.
RAW_BYTES_PER_S = 55e6


def check(folder: Path) -> Iterator[MachineFinding]:
    """Look at this interpreter and this machine.

    Args:
        folder: where bags would be written; its disk is examined.
    """
    yield _python()
    for package in REQUIRED:
        found = _version(package)
        fix = f"pip install {package}"
        yield ok("machine", package, found) if found else red("machine", package, "missing", fix)
    yield from (_extra(extra, packages) for extra, packages in EXTRAS.items())
    yield _memory()
    yield _disk(folder)


def check_torch() -> Iterator[MachineFinding]:
    """Look at the processor and at torch, which every policy that runs on this machine needs."""
    hardware = machine()
    sets = [name for name, key in (("AMX", "amx"), ("AVX-512", "avx512")) if hardware[key]]
    yield ok(
        "torch", "processor", f"{hardware['processor']}; {', '.join(sets) or 'no AMX, no AVX-512'}"
    )
    if importlib.util.find_spec("torch") is None:
        fix = "pip install 'evla_ros[model]'; not needed on a robot whose policy runs elsewhere"
        yield note("torch", "torch", "not installed", fix)
        return
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        yield red("torch", "torch", f"cannot be imported: {error}", "reinstall torch==2.13.0")
        return
    capability = torch.backends.cpu.get_cpu_capability()
    seen = f"{torch.__version__}, {torch.get_num_threads()} threads, kernels for {capability}"
    yield ok("torch", "torch", seen)
    yield from _devices(torch)


def check_rendering() -> Iterator[MachineFinding]:
    """Ask the simulator which headless OpenGL it would use; nothing if MuJoCo is not installed."""
    if importlib.util.find_spec("mujoco") is None:
        return
    from evla_ros.sim.gl_backend import choose_backend

    try:
        yield ok("simulator", "rendering", choose_backend())
    except EvlaError as error:
        fix = "apt install libosmesa6, or libegl1 with libgl1-mesa-dri"
        yield note("simulator", "rendering", str(error), fix)


def _python() -> MachineFinding:
    seen = f"{platform.python_version()} at {sys.executable}"
    if SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        return ok("machine", "Python", seen)
    return red("machine", "Python", seen, "use Python 3.10 to 3.14, as in `PYTHON=python3.12 make`")


def _extra(extra: str, packages: tuple[str, ...]) -> MachineFinding:
    versions = {package: _version(package) for package in packages}
    missing = [package for package, version in versions.items() if not version]
    if missing:
        seen = f"missing: {', '.join(missing)}"
        return note("machine", f"extra {extra}", seen, f"pip install 'evla_ros[{extra}]'")
    return ok("machine", f"extra {extra}", ", ".join(f"{p} {v}" for p, v in versions.items()))


def _memory() -> MachineFinding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    seen = f"{total:.1f} GiB, {len(os.sched_getaffinity(0))} cores for this process"
    if total < 3.5:
        return note("machine", "memory", seen, "evla-1b in bf16 needs about 3.2 GiB; use evla-nano")
    return ok("machine", "memory", seen)


def _disk(folder: Path) -> MachineFinding:
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


def _devices(torch: object) -> Iterator[MachineFinding]:
    cuda = torch.cuda  # type: ignore[attr-defined]
    if not cuda.is_available():
        built = torch.version.cuda  # type: ignore[attr-defined]
        seen = (
            "none: this is a CPU build" if built is None else f"none, though built for CUDA {built}"
        )
        if built is None:
            yield ok("torch", "GPU", seen)
        else:
            yield note("torch", "GPU", seen, "check the driver with `nvidia-smi`")
        return
    for index in range(cuda.device_count()):
        properties = cuda.get_device_properties(index)
        memory = f"{properties.total_memory / 2**30:.0f} GiB"
        seen = f"{properties.name}, {memory}, compute {properties.major}.{properties.minor}"
        yield ok("torch", f"cuda:{index}", seen)
