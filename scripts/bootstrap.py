# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Create one of the project's virtual environments, once, and record what it was made of.

Usage: bootstrap.py {full,core,tfds} FOLDER [DISTRO]. `full` is everything, `core` leaves torch
and the simulator out, `tfds` holds the TensorFlow that only tests use. Standard library only.
Where requirements/ has pins for this distro and Python, pip installs exactly those files whose
hashes stand there, and then the package without asking for more. Elsewhere (a sourced distro,
whose own packages count, or a Python without pins) it resolves the ranges of pyproject.toml.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

import env_script
import torch_guard
import wheel_paths

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
EXTRAS = {
    "full": "model,data,sim,train,serve,console,ray,openvino,onnx,docs,dev",
    "core": "data,serve,console,dev",
}
TORCH = "torch==2.13.0"
# PyTorch, and what its CUDA build brings: see the head of requirements/*-torch.txt.
WITHOUT_HASHES = re.compile(r"torch$|triton$|nvidia-|cuda-")
# Also when this script runs in a virtual environment, maybe the very one it is about to replace.
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
OFFLINE = re.compile(r"name resolution|NewConnectionError|Network is unreachable|Max retries")


class SetupError(Exception):
    """One sentence that says what failed and what to do."""


@dataclass(frozen=True)
class Pins:
    """The files of requirements/ for one distro and this Python."""

    core: Path
    full: Path
    torch: Path

    @staticmethod
    def of(distro: str) -> Pins:
        """Return the files of a distro whose packages come from the package index."""
        stem = f"{distro}-py{sys.version_info[0]}.{sys.version_info[1]}"
        names = (f"{stem}-core.txt", f"{stem}.txt", f"{stem}-torch.txt")
        return Pins(*(REQUIREMENTS / name for name in names))

    @staticmethod
    def tfds() -> Path:
        """Return the file of the environment that holds TensorFlow."""
        return REQUIREMENTS / f"tfds-py{sys.version_info[0]}.{sys.version_info[1]}.txt"


def main(kind: str, folder: str, distro: str = "jazzy") -> int:
    """Bring the environment up to date; returns the exit code."""
    venv = ROOT / folder
    sourced = None if kind == "tfds" else _sourced_distro()
    distro = sourced or distro
    try:
        made = _make(venv, _Recipe(kind, distro, sourced=bool(sourced)))
        if kind != "tfds":
            if made and not sourced:
                wheel_paths.repair(venv)
            env_script.write(venv, ROOT, distro=distro, wheels=not sourced)
    except (SetupError, torch_guard.CudaWheelsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _sourced_distro() -> str | None:
    """Return the name of the ROS 2 distro that this shell has sourced, if it is not our own."""
    if os.environ.get("EVLA_WHEELS_ENV") or not os.environ.get("AMENT_PREFIX_PATH"):
        return None
    return os.environ.get("ROS_DISTRO")


@dataclass(frozen=True)
class _Recipe:
    """What one environment is made of."""

    kind: str
    distro: str
    sourced: bool

    @property
    def name(self) -> str:
        return "tfds" if self.kind == "tfds" else f"{self.kind} {self.distro}"

    @property
    def pins(self) -> Path | None:
        """The file with every package and its hashes, where there is one."""
        if self.sourced:
            return None
        pins = Pins.of(self.distro)
        files = {"tfds": Pins.tfds(), "core": pins.core, "full": pins.full}
        return files[self.kind] if files[self.kind].is_file() else None

    @property
    def without_deps(self) -> Path | None:
        """Packages whose metadata ask for more, or for other versions, than their code needs."""
        return None if self.kind == "tfds" else REQUIREMENTS / f"without-deps-{self.kind}.txt"

    @property
    def package(self) -> list[str]:
        """What pip gets where it resolves the ranges itself."""
        if self.kind == "tfds":
            return ["-r", str(REQUIREMENTS / "tfds.txt")]
        ros = "build" if self.sourced else f"build,ros-{self.distro}"
        return ["-e", f"{ROOT}[{ros},{EXTRAS[self.kind]}]"]

    def digest(self, venv: Path) -> str:
        digest = hashlib.sha256()
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        digest.update(project.partition("[tool.")[0].encode())
        for path in [Path(__file__), *self._files(venv)]:
            digest.update(path.read_bytes())
        return f"{self.name} Python {sys.version} {ROOT} {digest.hexdigest()}\n"

    def _files(self, venv: Path) -> list[Path]:
        files = [REQUIREMENTS / "pip.txt"]
        if self.sourced:
            files.append(_numpy_of_the_distro(venv))
        if self.kind == "tfds":
            return [*files, REQUIREMENTS / "tfds.txt", *([self.pins] if self.pins else [])]
        files += sorted(REQUIREMENTS.glob("without-deps-*.txt"))
        pins = Pins.of(self.distro)
        return [*files, *(path for path in astuple(pins) if self.pins and path.is_file())]


def _make(venv: Path, recipe: _Recipe) -> bool:
    """Create or update the environment; False when it was made of the same things already."""
    stamp, text = venv / "evla_stamp", recipe.digest(venv)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == text:
        return False
    print(
        f"setting up {venv.name} ({recipe.name}, Python {sys.version.split()[0]}); "
        "this takes minutes",
        flush=True,
    )
    if venv.exists():
        shutil.rmtree(venv)
    command = [BASE_PYTHON, "-m", "venv", str(venv)]
    _run([*command, "--system-site-packages"] if recipe.sourced else command, venv)
    _pip(venv, ["--require-hashes", "-r", str(REQUIREMENTS / "pip.txt")])
    if recipe.pins:
        _install_pinned(venv, recipe, recipe.pins)
    else:
        _install_ranges(venv, recipe)
    if recipe.without_deps:
        _pip(venv, ["--require-hashes", "--no-deps", "-r", str(recipe.without_deps)])
    stamp.write_text(text, encoding="utf-8")
    return True


def _install_pinned(venv: Path, recipe: _Recipe, pins: Path) -> None:
    """Install the files whose hashes are known, and nothing else but PyTorch."""
    if recipe.kind == "full":
        torch_guard.check(venv / "bin" / "python", TORCH)
    # Without dependencies: the file is complete, and PyTorch, which some ask for, comes after.
    hashed = ["--require-hashes", "--no-deps", "--no-build-isolation"]
    _pip(venv, [*hashed, "-r", str(pins)])
    if recipe.kind == "full":
        _pip(venv, [TORCH, "-c", str(Pins.of(recipe.distro).torch)])
    if recipe.kind != "tfds":
        _pip(venv, ["--no-deps", "--no-build-isolation", "-e", str(ROOT)])


def _install_ranges(venv: Path, recipe: _Recipe) -> None:
    """Let pip resolve the ranges, beside the NumPy that a sourced distro was built with."""
    keep = ["-c", str(_numpy_of_the_distro(venv))] if recipe.sourced else []
    if recipe.kind == "full":
        torch_guard.check(venv / "bin" / "python", TORCH)
        _pip(venv, [TORCH, *keep])
    _pip(venv, ["--no-build-isolation", *recipe.package, *keep])


def _numpy_of_the_distro(venv: Path) -> Path:
    """Write the version of the system's NumPy as a constraint, if it has one."""
    ask = [BASE_PYTHON, "-c", "import numpy; print(numpy.__version__)"]
    numpy = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    pin = ROOT / "build" / f"{venv.name.strip('.')}-numpy.txt"
    pin.parent.mkdir(exist_ok=True)
    pin.write_text(f"numpy=={numpy}\n" if numpy else "", encoding="utf-8")
    return pin


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
