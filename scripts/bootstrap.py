# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Create one of the project's virtual environments, once, and record what it was made of.

Usage: bootstrap.py {full,core,tfds} FOLDER [DISTRO]. `full` is everything, `core` leaves torch
and the simulator out, `tfds` holds the TensorFlow that only tests use. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import env_script
import torch_guard
import wheel_paths

ROOT = Path(__file__).resolve().parent.parent
PIP = "pip==25.3"
EXTRAS = {
    "full": "model,data,sim,train,serve,console,ray,openvino,onnx,docs,dev",
    "core": "data,serve,console,dev",
}
# A client of the policy server that tests run as it comes; its metadata ask for NumPy 1 and
# dm-tree, its code for neither.
STRANGER = "openpi-client==0.1.2"
# Its metadata ask for MuJoCo 3.3.0; what else it needs is in the extra `dev`.
META_WORLD = "metaworld==3.1.1"
# Also when this script runs in a virtual environment, maybe the very one it is about to replace.
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
OFFLINE = re.compile(r"name resolution|NewConnectionError|Network is unreachable|Max retries")


class SetupError(Exception):
    """One sentence that says what failed and what to do."""


def main(kind: str, folder: str, distro: str = "jazzy") -> int:
    """Bring the environment up to date; returns the exit code."""
    venv = ROOT / folder
    sourced = _sourced_distro()
    try:
        if kind == "tfds":
            _make(venv, "tfds", ["-r", str(ROOT / "requirements" / "tfds.txt")], sourced=None)
        else:
            ros = "build" if sourced else f"build,ros-{distro}"
            package = f"{ROOT}[{ros},{EXTRAS[kind]}]"
            made = _make(venv, f"{kind} {sourced or distro}", ["-e", package], sourced, distro)
            if made and not sourced:
                wheel_paths.repair(venv)
            env_script.write(venv, ROOT, distro=sourced or distro, wheels=not sourced)
    except (SetupError, torch_guard.CudaWheelsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _sourced_distro() -> str | None:
    """Return the name of the ROS 2 distro that this shell has sourced, if it is not our own."""
    if os.environ.get("EVLA_WHEELS_ENV") or not os.environ.get("AMENT_PREFIX_PATH"):
        return None
    return os.environ.get("ROS_DISTRO")


def _make(
    venv: Path, what: str, packages: list[str], sourced: str | None, distro: str = "jazzy"
) -> bool:
    """Create or update the environment; False when it was made of the same things already."""
    constraints = _constraints(venv, sourced, distro, what)
    stamp, recipe = venv / "evla_stamp", _recipe(what, packages, constraints)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == recipe:
        return False
    print(
        f"setting up {venv.name} ({what}, Python {sys.version.split()[0]}); this takes minutes",
        flush=True,
    )
    if venv.exists():
        shutil.rmtree(venv)
    command = [BASE_PYTHON, "-m", "venv", str(venv)]
    _run([*command, "--system-site-packages"] if sourced else command, venv)
    _pip(venv, [PIP])
    _pip(venv, ["setuptools==79.*"])
    pins = [option for path in constraints for option in ("-c", str(path))]
    if what.startswith("full"):
        torch_guard.check(venv / "bin" / "python", "torch==2.13.0")
        _pip(venv, ["torch==2.13.0", *pins])
    _pip(venv, ["--no-build-isolation", *packages, *pins])
    if what != "tfds":
        _pip(venv, ["--no-deps", STRANGER])
    if what.startswith("full"):
        _pip(venv, ["--no-deps", META_WORLD])
    stamp.write_text(recipe, encoding="utf-8")
    return True


def _constraints(venv: Path, sourced: str | None, distro: str, what: str) -> list[Path]:
    """Return the pins: the locked versions, or the NumPy that a sourced distro was built with."""
    if not sourced:
        set_of = "tfds" if what == "tfds" else distro
        lock = ROOT / "requirements" / f"{set_of}-py{sys.version_info[0]}.{sys.version_info[1]}.txt"
        return [lock] if lock.is_file() else []
    ask = [BASE_PYTHON, "-c", "import numpy; print(numpy.__version__)"]
    numpy = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    pin = ROOT / "build" / f"{venv.name.strip('.')}-numpy.txt"
    pin.parent.mkdir(exist_ok=True)
    pin.write_text(f"numpy=={numpy}\n" if numpy else "", encoding="utf-8")
    return [pin]


def _recipe(what: str, packages: list[str], constraints: list[Path]) -> str:
    digest = hashlib.sha256()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    digest.update(project.partition("[tool.")[0].encode())
    files = [Path(__file__), *constraints]
    for path in [*files, *(Path(name) for name in packages if name.endswith(".txt"))]:
        digest.update(path.read_bytes())
    return f"{what} Python {sys.version} {ROOT} {digest.hexdigest()}\n"


def _pip(venv: Path, arguments: list[str]) -> None:
    python = str(venv / "bin" / "python")
    _run([python, "-m", "pip", "install", "--disable-pip-version-check", *arguments], venv)


def _run(command: list[str], venv: Path) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode == 0:
        return
    log = ROOT / "build" / f"{venv.name.strip('.')}-setup.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(done.stdout, encoding="utf-8")
    if OFFLINE.search(done.stdout):
        raise SetupError(
            "pip reaches no package index: connect this machine to the network, or point "
            f"PIP_INDEX_URL or PIP_FIND_LINKS to a mirror, and run make again (log: {log})."
        )
    errors = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
    reason = errors[0].removeprefix("ERROR: ") if errors else f"exit status {done.returncode}"
    raise SetupError(f"the set-up of {venv.name} failed: {reason} (log: {log}).")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
