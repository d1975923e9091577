# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make a release out of the commit that is checked out: sdist, wheel, notes and, if asked, the tag.

Usage: release.py [--tag | --draft] [--out FOLDER], from a Python that has pip and setuptools
(`. ./env.sh`). --draft builds the two files of a version that is still worked on. Nothing is
uploaded or pushed. Standard library only.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"<version>\s*(\d+\.\d+\.\d+)\s*</version>")
SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
DISTROS = ("humble", "jazzy", "kilted", "lyrical")


class ReleaseError(Exception):
    """One sentence that says why there is no release, and what to do."""


@dataclass(frozen=True)
class Release:
    """version: as in package.xml, and the tag's name. date, changes: those of the changelog."""

    version: str
    date: str
    changes: str


def main(words: list[str]) -> int:
    """Check, build, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="release.py", description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--tag", action="store_true", help="create the annotated tag")
    how.add_argument(
        "--draft",
        action="store_true",
        help="build sdist and wheel alone, whatever the changelog and the tags say",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER")
    options = parser.parse_args(words)
    try:
        check_tree()
        if options.draft:
            for path in build(version_of(ROOT), options.out):
                print(f"wrote {path}")
            return 0
        release = described(ROOT)
        check_tag(release.version, wanted=options.tag)
        files = build(release.version, options.out)
        notes = options.out / f"evla_ros-{release.version}-notes.md"
        notes.write_text(notes_of(release, files), encoding="utf-8")
        if options.tag:
            _git("tag", "-a", release.version, "-F", str(notes), "--cleanup=verbatim")
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in (*files, notes):
        print(f"wrote {path}")
    print(next_steps(release.version, files, notes, tagged=options.tag))
    return 0


def check_tree() -> None:
    """Raise unless all there is has been committed."""
    changed = _git("status", "--porcelain").splitlines()
    if changed:
        count = f"{len(changed)} file{'s are' if len(changed) > 1 else ' is'} not committed"
        raise ReleaseError(f"{count} ({changed[0][3:]}): commit, stash or ignore what differs.")


def version_of(root: Path) -> str:
    """Return the version of package.xml; ReleaseError where there is none."""
    found = VERSION.search((root / "package.xml").read_text(encoding="utf-8"))
    if found is None:
        raise ReleaseError("package.xml has no <version> of three numbers, such as 0.2.0.")
    return found.group(1)


def described(root: Path) -> Release:
    """Return what package.xml and CHANGELOG.md say about the release.

    Raises:
        ReleaseError: they do not agree, or have nothing to say.
    """
    version = version_of(root)
    sections = _sections((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    waiting = [line for line in sections.get("[Unreleased]", "").splitlines() if line]
    if waiting:
        raise ReleaseError(
            f"CHANGELOG.md has {len(waiting)} lines under [Unreleased]: "
            f"move them under [{version}]."
        )
    heads = [head for head in sections if head.startswith(f"[{version}]")]
    if not heads:
        raise ReleaseError(
            f"CHANGELOG.md has no section [{version}]: write one, or set <version> in package.xml."
        )
    date = heads[0].removeprefix(f"[{version}]").removeprefix(" - ")
    try:
        dt.date.fromisoformat(date)
    except ValueError:
        raise ReleaseError(
            f"CHANGELOG.md says {heads[0]!r}, without a date: write `## [{version}] - YYYY-MM-DD`."
        ) from None
    if not sections[heads[0]]:
        raise ReleaseError(f"the section [{version}] of CHANGELOG.md is empty: say what changed.")
    return Release(version, date, sections[heads[0]])


def _sections(text: str) -> dict[str, str]:
    """Return the text under every second-level heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {head.strip(): body.strip() for head, body in zip(parts[::2], parts[1::2], strict=True)}


def check_tag(version: str, *, wanted: bool) -> None:
    """Raise where the tag is taken: by another commit, or at all when it is to be made now."""
    tagged = _git("rev-list", "-n", "1", "--end-of-options", f"refs/tags/{version}", quiet=True)
    if not tagged:
        return
    if tagged != _git("rev-parse", "HEAD"):
        raise ReleaseError(
            f"the tag {version} belongs to another commit ({tagged[:10]}): raise <version> in "
            "package.xml."
        )
    if wanted:
        raise ReleaseError(f"the tag {version} is on this commit already: leave out --tag.")


def build(version: str, out: Path) -> list[Path]:
    """Build the sdist from what is committed, and the wheel from the sdist; returns both."""
    sdist = out / f"evla_ros-{version}.tar.gz"
    wheel = out / f"evla_ros-{version}-py3-none-any.whl"
    there = [path for path in (sdist, wheel) if path.exists()]
    if there:
        raise ReleaseError(f"{there[0]} exists: remove it, or name another folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        archive, tree = Path(folder) / "tree.tar", Path(folder) / "evla_ros"
        _git("archive", "--output", str(archive), "HEAD")
        with tarfile.open(archive) as packed:
            packed.extractall(tree)  # noqa: S202 - what git has just packed
        _run([sys.executable, "-c", SDIST, str(out.resolve())], tree, "the sdist", sdist)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        pip += ["-w", str(out.resolve()), str(sdist.resolve())]
        _run(pip, Path(folder), "the wheel", wheel)
    return [sdist, wheel]


def notes_of(release: Release, files: list[Path]) -> str:
    """Return the text of the release: what changed, and the hashes of its files."""
    hashes = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
    parts = [f"evla_ros {release.version} ({release.date})", release.changes]
    return "\n\n".join([*parts, "SHA-256:", "\n".join(f"    {line}" for line in hashes)]) + "\n"


def next_steps(version: str, files: list[Path], notes: Path, *, tagged: bool) -> str:
    """Return what a person does now: tag, push, upload, and the release into ROS with bloom."""
    again = [] if tagged else ["python scripts/release.py --tag   # when the notes are right"]
    bloom = [f"bloom-release --rosdistro {name} --track {name} evla_ros" for name in DISTROS]
    names = " ".join(map(str, files))
    steps = [
        *again,
        f"git push origin {version}",
        f"gh release create {version} {names} --notes-file {notes}",
        f"twine upload {names}",
    ]
    about = [
        "bloom takes the tag, not these files; the first time, `--new-track` makes the track. The",
        "Debian package lacks the Python packages that rosdep does not know (docs/install.md).",
    ]
    return "\n".join(["next:", *(f"  {line}" for line in steps), "ROS:", *_indented(about, bloom)])


def _indented(*groups: list[str]) -> list[str]:
    return [f"  {line}" for group in groups for line in group]


def _git(*words: str, quiet: bool = False) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout.rstrip()
    if quiet:
        return ""
    said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    raise ReleaseError(f"`git {words[0]}` failed in {ROOT}: {said}")


def _run(command: list[str], folder: Path, what: str, made: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise ReleaseError(
            f"{what} could not be built ({said}): it takes pip and setuptools, as `. ./env.sh` has."
        )
    if not made.is_file():
        raise ReleaseError(
            f"setuptools wrote no {made.name}: do setup.py and package.xml agree on the version?"
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
