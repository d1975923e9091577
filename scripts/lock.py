# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the pins of one ROS 2 distro and one Python: requirements/<distro>-py<version>.txt.

Usage: lock.py DISTRO, with the Python to pin for. Asks pip what the ranges of
pyproject.toml resolve to today.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock`: what the ranges of pyproject.toml resolved to.\n"


def main(distro: str) -> int:
    """Resolve every extra for this Python and write the pins."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    package = (
        f"{ROOT}[ros-{distro},model,data,sim,train,serve,console,ray,nf4,openvino,onnx,docs,dev]"
    )
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "pip==25.3"], check=True)
        report = subprocess.run(
            [*pip, "--dry-run", "--report", "-", package], check=True, stdout=subprocess.PIPE
        )
    items = [item["metadata"] for item in json.loads(report.stdout)["install"]]
    pins = sorted(
        f"{item['name'].lower()}=={item['version'].split('+')[0]}"
        for item in items
        if item["name"] != "evla_ros"
    )
    path = ROOT / "requirements" / f"{distro}-py{python}.txt"
    path.write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(pins)} packages")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
