# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`scripts/release.py` builds from what is committed, and says in one sentence why it does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.3] - 2026-11-30

### Added

- A gripper that opens.

## [1.2.2] - 2026-01-01

- Older.
"""
PERSON = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip


class Project:
    """A small package of the same name, in a git repository of its own."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "release.py", folder / "scripts")
        self.write("package.xml", "<package><version>1.2.3</version></package>\n")
        self.write("CHANGELOG.md", CHANGELOG)
        self.write("evla_ros.py", "READY = True\n")
        self.write("setup.py", _SETUP)
        self.write("README.md", "A package.\n")
        self.git("init", "-q")
        self.commit()

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def git(self, *words):
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=os.environ | PERSON, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Change it")

    def release(self, *words):
        script = str(self.folder / "scripts" / "release.py")
        return subprocess.run(
            [sys.executable, script, "--out", str(self.folder.parent / "out"), *words],
            env={**os.environ, **PERSON, "PYTHONPATH": ""}, capture_output=True, text=True,
        )  # fmt: skip


_SETUP = """import re
from pathlib import Path
from setuptools import setup
version = re.search("<version>(.+)</version>", Path("package.xml").read_text()).group(1)
setup(name="evla_ros", version=version, py_modules=["evla_ros"], data_files=[("", ["package.xml"])])
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "checkout").mkdir()
    return Project(tmp_path / "checkout")


def _refused(done):
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def test_a_release_is_sdist_wheel_notes_and_tag(project, tmp_path):
    done = project.release("--tag")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    with tarfile.open(out / "evla_ros-1.2.3.tar.gz") as sdist:
        assert "evla_ros-1.2.3/evla_ros.py" in sdist.getnames()
    with zipfile.ZipFile(out / "evla_ros-1.2.3-py3-none-any.whl") as wheel:
        assert "evla_ros.py" in wheel.namelist()
    notes = (out / "evla_ros-1.2.3-notes.md").read_text()
    assert "- A gripper that opens." in notes
    assert "Older" not in notes
    assert "  evla_ros-1.2.3.tar.gz" in notes
    assert project.git("cat-file", "-t", "1.2.3") == "tag"
    assert "A gripper that opens" in project.git("tag", "-n9", "1.2.3")
    assert "### Added" in project.git("cat-file", "tag", "1.2.3")
    assert "bloom-release --rosdistro jazzy" in done.stdout
    assert project.git("status", "--porcelain") == ""


def test_a_draft_is_built_while_the_changelog_is_open_and_the_tag_taken(project, tmp_path):
    project.git("tag", "1.2.3")
    project.write("CHANGELOG.md", CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n"))
    project.commit()
    assert "under [Unreleased]" in _refused(project.release())
    done = project.release("--draft")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["evla_ros-1.2.3-py3-none-any.whl", "evla_ros-1.2.3.tar.gz"]


def test_without_being_asked_no_tag_is_made(project):
    done = project.release()
    assert done.returncode == 0, done.stderr
    assert project.git("tag") == ""
    assert "scripts/release.py --tag" in done.stdout


def test_what_is_not_committed_is_named(project):
    project.write("evla_ros.py", "READY = False\n")
    assert "1 file is not committed (evla_ros.py)" in _refused(project.release())


def test_files_that_are_there_are_not_overwritten(project, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "evla_ros-1.2.3.tar.gz").touch()
    assert "evla_ros-1.2.3.tar.gz exists" in _refused(project.release())


def test_a_tag_of_another_commit_is_refused(project):
    project.git("tag", "1.2.3")
    assert "already: leave out --tag" in _refused(project.release("--tag"))
    project.commit()
    assert "belongs to another commit" in _refused(project.release())


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        ("package.xml", "1.2.3", "next", "no <version> of three numbers"),
        ("package.xml", "1.2.3", "1.3.0", "no section [1.3.0]"),
        (
            "CHANGELOG.md",
            "[Unreleased]\n",
            "[Unreleased]\n\n- New.\n",
            "1 lines under [Unreleased]",
        ),
        ("CHANGELOG.md", " - 2026-11-30", "", "without a date"),
        ("CHANGELOG.md", " - 2026-11-30", " - 2026-13-30", "without a date"),
        (
            "CHANGELOG.md",
            "### Added\n\n- A gripper that opens.\n",
            "",
            "[1.2.3] of CHANGELOG.md is",
        ),
        ("setup.py", "version=version", "version='9.9.9'", "setuptools wrote no evla_ros-1.2.3"),
        ("setup.py", "import re", "raise SystemExit('no luck')", "the sdist could not be built"),
    ],
)
def test_files_that_do_not_agree_are_named(project, name, old, new, sentence):
    text = (project.folder / name).read_text()
    assert old in text
    project.write(name, text.replace(old, new))
    project.commit()
    assert sentence in _refused(project.release())


def test_a_folder_without_git_is_named(project):
    shutil.rmtree(project.folder / ".git")
    assert "`git status` failed" in _refused(project.release())
