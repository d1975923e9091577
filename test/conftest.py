# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every area shares."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Field checks catch a numpy scalar where a message wants a float; they are off by default.
os.environ.setdefault("ROS_PYTHON_CHECK_FIELDS", "1")
# A job in the background of a shell ignores Ctrl-C, and so would the processes under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Above 101 the ports of a domain overlap the ephemeral ones of Linux.
DOMAINS = range(80, 101)


# What a test file needs, by its folder or its imports; where that is not installed (`make
# test-core`), the file is not collected, and the summary says so.
NEEDS = {
    "mujoco": re.compile(r"^(?:from|import) (?:evla_ros\.sim|mujoco)\b", re.MULTILINE),
    "torch": re.compile(
        r"^(?:from|import) (?:evla_ros\.(?:model|recipes|training)|torch)\b", re.MULTILINE
    ),
}
FOLDERS = {"mujoco": {"sim"}, "torch": {"benchmarks", "model", "recipes", "training"}}
MISSING = [name for name in NEEDS if importlib.util.find_spec(name) is None]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the files whose libraries are not installed."""
    return _lacks_library(collection_path) or None


def pytest_configure(config: pytest.Config) -> None:
    """Leave them out of the command line too: pytest does not ask about files named there."""
    config.args[:] = [word for word in config.args if not _lacks_library(Path(word).absolute())]


def _lacks_library(path: Path) -> bool:
    if path.suffix != ".py" or not MISSING:
        return False
    folders = set(path.relative_to(ROOT).parts)
    text = path.read_text(encoding="utf-8")
    return any(FOLDERS[name] & folders or NEEDS[name].search(text) for name in MISSING)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA device where there is none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked or _has_cuda():
        return
    for item in marked:
        item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not collected."""
    for name in MISSING:
        terminalreporter.write_line(f"{name} is not installed: its tests were not collected")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder `shared` beside the checkout: reference data too large for it."""
    folder = Path(os.environ.get("EVLA_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no reference data: there is no folder {folder} beside the checkout")
    return folder


@pytest.fixture(scope="session")
def tfds_python() -> Path:
    """Return the interpreter of the environment with real TensorFlow and TFDS (`make tfds-env`)."""
    python = Path(os.environ.get("EVLA_TFDS_PYTHON", ROOT / ".venv-tfds" / "bin" / "python"))
    if not python.exists():
        pytest.skip("no TensorFlow environment: `make tfds-env` builds it")
    return python


def _own_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
    for domain in DOMAINS:
        with Path(f"/tmp/evla_ros_domain_{domain}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
            monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
            monkeypatch.delenv("ROS_LOCALHOST_ONLY", raising=False)
            yield domain
            return
    pytest.fail(f"all ROS domains {DOMAINS.start}-{DOMAINS.stop - 1} are taken by other tests")


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give the test and its child processes a ROS domain that no other test here has."""
    yield from _own_domain(monkeypatch)


@pytest.fixture(scope="module")
def module_domain() -> Iterator[int]:
    """Give the tests of a file one ROS domain together."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield from _own_domain(monkeypatch)


@pytest.fixture
def still_run() -> Callable[[Sequence[int]], bool]:
    """Return a function: wait up to 30 s until none of some processes runs; whether one does."""

    def runs(pid: int) -> bool:
        status = Path(f"/proc/{pid}/stat")
        return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"

    def wait(pids: Sequence[int]) -> bool:
        deadline = time.monotonic() + 30
        while any(map(runs, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return any(map(runs, pids))

    return wait
