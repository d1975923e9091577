# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the pins that `make` installs, with the hashes of every file of each pinned version.

Usage: lock.py {jazzy,kilted,tfds} [--upgrade], with the Python to pin for. Versions that
pyproject.toml still allows stay as they are pinned; with --upgrade every version is chosen anew.
Other files of requirements/ are written by hand; their hashes are renewed here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bootstrap import EXTRAS, WITHOUT_HASHES, Pins

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
UV = "uv==0.13.9"
HEADER = "# Written by `make lock` from the ranges of pyproject.toml.\n"
TORCH_HEADER = """\
# Written by `make lock`. Without hashes: a machine may take the CPU wheel of PyTorch from a folder
# or from PyTorch's own index, or the CUDA build from PyPI, and these are different files.
"""
TARGETS = ("jazzy", "kilted", "tfds")
BY_HAND = ("pip.txt", "without-deps-core.txt", "without-deps-full.txt")


def main(what: str = "", *options: str) -> int:
    """Resolve for this Python and write the files of requirements/; returns the exit code."""
    if what not in TARGETS or {*options} - {"--upgrade"}:
        given = " ".join((what, *options))
        print(f"error: {given!r}: give one of {', '.join(TARGETS)}, and --upgrade if wanted")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        lock = _Resolver(Path(folder))
        if what == "tfds":
            lock.write_tfds(options)
        else:
            lock.write(what, options)
        for name in BY_HAND:
            lock.renew_hashes(FOLDER / name)
    return 0


class _Resolver:
    """uv in a folder of its own, which also reads the hashes from the package index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        subprocess.run([sys.executable, "-m", "venv", folder / "uv"], check=True)
        python = folder / "uv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", UV], check=True)

    def write(self, distro: str, options: tuple[str, ...]) -> None:
        """Write the three files of one distro and this Python."""
        paths = Pins.of(distro)
        blocks = self._project(paths, distro, "full", options)
        core = self._project(paths, distro, "core", options, within=blocks)
        torch = {name for name in blocks if WITHOUT_HASHES.match(name)}
        _write(paths.core, HEADER, (blocks[name] for name in blocks if name in core))
        rest = (blocks[name] for name in blocks if name not in core and name not in torch)
        _write(paths.full, f"{HEADER}-r {paths.core.name}\n", rest)
        versions = (blocks[name].split()[0] + "\n" for name in blocks if name in torch)
        _write(paths.torch, TORCH_HEADER, versions)

    def write_tfds(self, options: tuple[str, ...]) -> None:
        """Write the pins of the environment that holds TensorFlow."""
        path = Pins.tfds()
        blocks = self._compile([FOLDER / "tfds.txt"], [path], options)
        _write(path, "# Written by `scripts/lock.py tfds` from tfds.txt.\n", blocks.values())

    def renew_hashes(self, path: Path) -> None:
        """Write a file anew with its own comments, includes and versions, and today's hashes."""
        text = path.read_text(encoding="utf-8")
        kept = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(("#", "-r")))
        versions = self._folder / "by_hand.in"
        versions.write_text("\n".join(re.findall(r"^\w\S*==\S+", text, re.MULTILINE)), "utf-8")
        _write(path, kept, self._compile([versions, "--no-deps"], [path], ()).values())

    def _project(
        self,
        paths: Pins,
        distro: str,
        kind: str,
        options: tuple[str, ...],
        within: dict[str, str] | None = None,
    ) -> dict[str, str]:
        extras = f"build,ros-{distro},{EXTRAS[kind]}".split(",")
        arguments = [ROOT / "pyproject.toml", *(f"--extra={name}" for name in extras)]
        if within:
            versions = self._folder / "within.txt"
            versions.write_text("\n".join(block.split()[0] for block in within.values()), "utf-8")
            arguments += ["-c", versions]
        return self._compile(arguments, [paths.core, paths.full, paths.torch], options)

    def _compile(
        self, arguments: list[Path | str], pinned: list[Path], options: tuple[str, ...]
    ) -> dict[str, str]:
        """Return the lines of each package that the arguments resolve to, by its name."""
        output = self._folder / "output.txt"
        texts = [path.read_text(encoding="utf-8") for path in pinned if path.is_file()]
        versions = re.findall(r"^\w\S*==\S+", "\n".join(texts), re.MULTILINE)
        output.write_text("\n".join(versions) + "\n", encoding="utf-8")
        subprocess.run(
            [
                *(self._folder / "uv" / "bin" / "uv", "pip", "compile", "--quiet"),
                *("--generate-hashes", "--no-header", "--no-annotate"),
                *("--python", sys.executable, "--output-file", output),
                *("-c", FOLDER / "pip.txt", *arguments, *options),
            ],
            check=True,
        )
        blocks = re.findall(r"^\w(?:.*\\\n)*.*\n", output.read_text("utf-8"), re.MULTILINE)
        return {block.partition("==")[0]: block for block in blocks}


def _write(path: Path, header: str, blocks: Iterable[str]) -> None:
    lines = list(blocks)
    path.write_text(header + "".join(lines), encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(lines)} packages")


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
