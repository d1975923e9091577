# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot with a scripted expert as its teleoperator, recorded through the real graph.

The expert sees the simulator's state, so it lives in its node; its goals, grippers and episodes go
over the same topics and services as a person's.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, NamedTuple

import numpy as np
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from evla_ros.control.ticks import Told
from evla_ros.errors import EvlaError
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.recorder.node import RecorderNode
from evla_ros.ros.simulator.messages import told_by
from evla_ros.ros.simulator.node import SimNode
from evla_ros.sim.experts.rollout import noisy
from evla_ros.sim.experts.style import Style
from evla_ros.sim.recording import Recording
from evla_ros.sim.tasks.suite import Expert
from evla_ros.sim.worlds import make_suite
from evla_ros.srv import ResetSim

_AFTER_SUCCESS_S = 0.5


class ExpertSimNode(SimNode):
    """A SimNode whose expert publishes goals while `demonstrate` is in force."""

    def __init__(self, noise: float = 0.0, **options: Any) -> None:
        """Take the noise on the expert's steps, as a fraction of a step (DART)."""
        self._expert: Expert | None = None
        super().__init__(**options)
        self._noise = noise
        self._style = Style()
        self._random = np.random.default_rng(0)
        self._commands = CommandOutput(self, self._world.embodiment, shadow=False)
        self._targets: Told | None = None

    def demonstrate(self, seed: int) -> None:
        """Let the expert begin the present episode."""
        self._random = np.random.default_rng(seed)
        self._style = Style.sample(self._random, self._noise)
        self._expert = self._world.suite.expert(self._world, self._task, self._style)

    def rest(self) -> None:
        """Let the expert stop; the robot holds its last goal."""
        self._expert, self._targets = None, None

    @property
    def done(self) -> bool:
        """Whether the task is solved at present."""
        return bool(self._success)

    def task_of(self, seed: int) -> str:
        """Return the instruction that a seed draws."""
        random = np.random.default_rng(seed)
        return str(self._world.suite.grammar.choose(None, random).instruction)

    def _step(self) -> None:
        super()._step()
        expert = self._expert
        if expert is None:
            return
        if self._targets is None or self._is_time_for(self._world.embodiment.rate_hz):
            self._targets = self._decide(expert)
        self._commands.publish(self._targets, self._now_ns())

    def _decide(self, expert: Expert) -> Told:
        action = noisy(expert.act(), self._style, self._random, self._world.columns)
        return told_by(self._world, action)


class Recorded(NamedTuple):
    """One finished seed."""

    seed: int
    outcome: str
    message: str


class _SimThread:
    """Makes, spins and ends the simulator in one thread, as its rendering context demands."""

    def __init__(self, context: Context, values: dict[str, Any], noise: float) -> None:
        self._made = threading.Event()
        self._error: Exception | None = None
        self._node: ExpertSimNode | None = None
        self._executor = SingleThreadedExecutor(context=context)
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        arguments = (noise, {"context": context, "parameter_overrides": overrides})
        self._thread = threading.Thread(target=self._run, args=arguments, daemon=True)
        self._thread.start()
        self._made.wait()
        if self._error is not None:
            raise self._error

    @property
    def node(self) -> ExpertSimNode:
        """The node that spins."""
        assert self._node is not None  # noqa: S101 - the constructor raised otherwise
        return self._node

    def close(self) -> None:
        """End the thread and what it made."""
        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(10.0)

    def _run(self, noise: float, options: dict[str, Any]) -> None:
        try:
            self._node = ExpertSimNode(noise, **options)
        except Exception as error:  # noqa: BLE001 - raised again by the constructor
            self._error = error
            self._made.set()
            return
        self._executor.add_node(self._node)
        self._made.set()
        _spin(self._executor)
        self._node.finish()
        self._node.destroy_node()


class ExpertRecording:
    """Simulator, expert and recorder in one process, and an operator that drives them."""

    def __init__(
        self, sim: dict[str, Any], recorder: dict[str, Any], noise: float, limit_s: float
    ) -> None:
        """Start the nodes.

        Args:
            sim: Parameters of the simulated robot.
            recorder: Parameters of the recorder.
            noise: Noise on the expert's steps, as a fraction of a step.
            limit_s: Longest time of an episode [s].

        Raises:
            EvlaError: A parameter is wrong.
        """
        import rclpy

        self._limit_s = limit_s
        self._context = Context()
        rclpy.init(context=self._context)
        self._spinner = _SimThread(self._context, sim, noise)
        self._sim = self._spinner.node
        overrides = [Parameter(name, value=value) for name, value in recorder.items()]
        self._recorder = RecorderNode(context=self._context, parameter_overrides=overrides)
        self._client = Node("operator", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        for node in (self._recorder, self._client):
            self._executor.add_node(node)
        self._thread = threading.Thread(target=_spin, args=(self._executor,), daemon=True)
        self._thread.start()
        self._recorder.trigger_configure()
        self._recorder.trigger_activate()

    def record(self, seed: int, task: str) -> Recorded:
        """Record the demonstration of a seed; EvlaError when the recorder does not start."""
        request = ResetSim.Request(task=task or self._sim.task_of(seed), seed=seed)
        self._call(ResetSim, "sim/reset", request)
        self._start()
        self._sim.demonstrate(seed)
        deadline = time.monotonic() + self._limit_s
        while time.monotonic() < deadline and not self._sim.done:
            time.sleep(0.02)
        time.sleep(_AFTER_SUCCESS_S)
        outcome = "success" if self._sim.done else "failure"
        self._sim.rest()
        self._call(Trigger, f"recorder/mark_{outcome}", Trigger.Request())
        kept = self._call(Trigger, "recorder/keep", Trigger.Request())
        return Recorded(seed, outcome, kept.message)

    def close(self) -> None:
        """End everything; an episode in progress is kept."""
        import rclpy

        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(10.0)
        self._recorder.finish()
        self._recorder.destroy_node()
        self._client.destroy_node()
        self._spinner.close()
        rclpy.try_shutdown(context=self._context)

    def _start(self) -> None:
        deadline = time.monotonic() + 30.0
        while True:
            answer = self._call(Trigger, "recorder/start", Trigger.Request(), refusal=False)
            if answer.success:
                return
            if time.monotonic() > deadline:
                raise EvlaError(answer.message)
            time.sleep(0.2)

    def _call(self, kind: Any, name: str, request: Any, *, refusal: bool = True) -> Any:
        client = self._client.create_client(kind, name)
        done = threading.Event()
        if not client.wait_for_service(20.0):
            raise EvlaError(f"no service {name}")
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(60.0):
            raise EvlaError(f"no answer from {name}")
        answer = future.result()
        self._client.destroy_client(client)
        if refusal and not answer.success:
            raise EvlaError(f"{name}: {answer.message}")
        return answer


def _spin(executor: SingleThreadedExecutor) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        return


def record_through_graph(recording: Recording) -> str:
    """Record all episodes over topics and services, in real time; returns a sentence about them."""
    sim = {"world": recording.world, "image_size": recording.image_size}
    operator = recording.operator or "scripted expert"
    # What came before a reset is another scene: none of it belongs to the episode.
    recorder = {"output": str(recording.out), "operator": operator, "preroll_s": 0.0}
    limit_s = max(20.0, make_suite(recording.world).limit_s)
    expert = ExpertRecording(sim, recorder, recording.noise, limit_s=limit_s)
    try:
        for number in range(recording.episodes):
            one = expert.record(recording.seed + number, recording.task)
            line = f"[{number + 1}/{recording.episodes}] seed {one.seed} {one.message}"
            print(line, file=sys.stderr, flush=True)
    finally:
        expert.close()
    return f"recorded {recording.episodes} episodes in {recording.out}"
