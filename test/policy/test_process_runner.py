# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy in another process answers as one in this process does, and its death is noticed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evla_ros.embodiment import load_embodiment
from evla_ros.policy.errors import PolicyError, PolicyTimeoutError, WorkerDiedError
from evla_ros.policy.process_runner import ProcessRunner
from evla_ros.policy.runner import ThreadRunner
from evla_ros.policy.spec import PolicySpec
from evla_ros.policy.types import Observation

ARM = load_embodiment("tabletop_arm")


def seen(size: tuple[int, int] = (48, 64)) -> Observation:
    rng = np.random.default_rng(0)
    images = {n: rng.integers(0, 256, (*size, 3), dtype=np.uint8) for n in ("primary", "wrist")}
    return Observation(7, images, np.arange(8, dtype=np.float32), "lift the red block")


def spec(kind: str = "hold", **faults: dict[str, object]) -> PolicySpec:
    target = "seeing_policy:mean_colours" if kind == "scripted" else ""
    return PolicySpec(kind, ARM.text, target, faults=faults)


@pytest.fixture
def started(request: pytest.FixtureRequest) -> Iterator[ProcessRunner]:
    runner = ProcessRunner(request.param, timeout_s=0.5)
    runner.start()
    yield runner
    runner.close()
    assert not runner.alive


@pytest.mark.parametrize("started", [spec("scripted")], indirect=True)
def test_thread_and_process_give_the_same_numbers(started: ProcessRunner) -> None:
    here = ThreadRunner(spec("scripted"))
    here.start()
    for size in ((48, 64), (480, 640), (3, 5)):
        observation = seen(size)
        expected, got = here.infer(observation), started.infer(observation)
        np.testing.assert_array_equal(got.actions, expected.actions)
        assert got.observation_stamp_ns == 7
    started.reset()


@pytest.mark.parametrize("started", [spec()], indirect=True)
def test_a_killed_process_is_noticed_and_can_be_started_again(started: ProcessRunner) -> None:
    os.kill(started.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="-9"):
        started.infer(seen())
    assert not started.alive
    started.start()
    assert started.infer(seen()).actions.shape == (8, 7)


@pytest.mark.parametrize("started", [spec(sticky={"after": 1})], indirect=True)
def test_an_error_of_cuda_ends_the_process_and_the_next_one_answers(
    started: ProcessRunner,
) -> None:
    assert started.infer(seen()).actions.shape == (8, 7)
    with pytest.raises(PolicyError, match="RuntimeError: CUDA error: an illegal memory access"):
        started.infer(seen())
    end_s = time.monotonic() + 10.0
    while started.alive:
        assert time.monotonic() < end_s
        time.sleep(0.01)
    started.start()
    assert started.infer(seen()).actions.shape == (8, 7)


@pytest.mark.parametrize("started", [spec(slow={"delay_s": 30.0})], indirect=True)
def test_a_process_that_hangs_is_ended(started: ProcessRunner) -> None:
    with pytest.raises(PolicyTimeoutError, match=r"0\.5 s"):
        started.infer(seen())
    started.start()
    caught: list[Exception] = []

    def ask() -> None:
        try:
            started.infer(seen())
        except PolicyError as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.1)
    os.kill(started.pid, signal.SIGKILL)
    asking.join(5.0)
    assert not asking.is_alive()
    assert isinstance(caught[0], WorkerDiedError)


@pytest.mark.parametrize("started", [spec(raising={"after": 1, "times": 1})], indirect=True)
def test_an_error_in_the_policy_is_an_answer(started: ProcessRunner) -> None:
    started.infer(seen())
    with pytest.raises(PolicyError, match="call 2"):
        started.infer(seen())
    assert started.alive
    started.infer(seen())


@pytest.mark.parametrize("kind", ["nan", "inf", "huge", "shape", "extremes"])
def test_nonsense_arrives_as_it_is(kind: str) -> None:
    runner = ProcessRunner(spec(broken={"kind": kind}))
    runner.start()
    here = ThreadRunner(spec(broken={"kind": kind}))
    here.start()
    np.testing.assert_array_equal(runner.infer(seen()).actions, here.infer(seen()).actions)
    runner.close()


def test_a_policy_that_cannot_be_built_leaves_no_process() -> None:
    pytest.importorskip("torch", reason="the EVLA policy needs PyTorch: `make build`")
    runner = ProcessRunner(PolicySpec("evla", ARM.text, "/nowhere"))
    with pytest.raises(PolicyError, match="nowhere"):
        runner.start()
    assert not runner.alive
    assert runner.pid is None


@pytest.mark.parametrize("started", [spec()], indirect=True)
def test_ctrl_c_is_the_nodes_business(started: ProcessRunner) -> None:
    os.kill(started.pid, signal.SIGINT)
    time.sleep(0.05)
    assert started.infer(seen()).actions.shape == (8, 7)


def test_starting_and_closing_leaves_no_descriptor() -> None:
    runner = ProcessRunner(spec())
    runner.start()
    runner.close()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        runner.start()
        runner.infer(seen())
        runner.close()
        runner.close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    with pytest.raises(WorkerDiedError):
        runner.infer(seen())


def test_images_beyond_the_shared_memory_are_refused() -> None:
    runner = ProcessRunner(spec())
    runner.start()
    huge = np.lib.stride_tricks.as_strided(np.zeros(3, np.uint8), (20000, 20000, 3), (0, 0, 1))
    with pytest.raises(PolicyError, match="resolution"):
        runner.infer(Observation(1, {"primary": huge}, np.zeros(8, np.float32), ""))
    runner.close()
