# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Refuse a PyTorch that would pull several gigabytes of CUDA packages nobody asked for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path


class CudaWheelsError(Exception):
    """The package index offers the CUDA build of PyTorch."""


def check(python: Path, requirement: str) -> None:
    """Ask pip what `requirement` would install into `python`'s environment; raise on CUDA packages.

    EVLA_CUDA=1 in the environment says that CUDA is wanted. A dry run that fails is no verdict: the
    real installation then reports why.
    """
    if os.environ.get("EVLA_CUDA"):
        return
    ask = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--report",
        "-",
        requirement,
    ]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return
    names = [item["metadata"]["name"].lower() for item in json.loads(done.stdout)["install"]]
    cuda = sorted(name for name in names if name.startswith(("nvidia-", "cuda-")))
    if cuda:
        raise CudaWheelsError(
            f"{requirement} would bring {len(cuda)} CUDA packages ({cuda[0]}, ...): give pip the "
            "CPU wheel of PyTorch (PIP_FIND_LINKS=<folder> or PIP_EXTRA_INDEX_URL=<CPU "
            "index>), or say EVLA_CUDA=1 if you want CUDA, and run make again."
        )
