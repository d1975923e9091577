# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that asks the policy whenever the core has an observation for it; no goal waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from evla_ros.control.reasons import Finding, Reason
from evla_ros.embodiment.streams import streams_of
from evla_ros.errors import EvlaError
from evla_ros.policy.errors import (
    PolicyTimeoutError,
    ServerGoneError,
    ServerLateError,
    WorkerDiedError,
)
from evla_ros.policy.runner import Runner
from evla_ros.policy.scheduling import as_usual
from evla_ros.policy.types import Chunk
from evla_ros.ros.limited_log import LimitedLog
from evla_ros.ros.policy.observations import BadImageError, decode_image, decoded
from evla_ros.ros.policy.shared_core import SharedCore

_LOOK_S = 0.1
_RESTART_PAUSE_S = 1.0
_REASONS = {
    PolicyTimeoutError: Reason.POLICY_TIMEOUT,
    WorkerDiedError: Reason.POLICY_RESTARTING,
    ServerLateError: Reason.SERVER_LATE,
    ServerGoneError: Reason.SERVER_GONE,
}


@dataclass(frozen=True, eq=False)
class InferenceReport:
    """One chunk, and what came of it.

    Attributes:
        chunk: The answer of the policy.
        instruction: What it was asked to do.
        start_ns: When the inference was decided on, on the node's clock.
        end_ns: When the answer came.
        late_rows: Actions that were too late to be used; None: the chunk was not used at all.
    """

    chunk: Chunk
    instruction: str
    start_ns: int
    end_ns: int
    late_rows: int | None


class InferenceLoop:
    """Asks the policy in a thread of its own, from activate to deactivate."""

    def __init__(
        self,
        core: SharedCore,
        runner: Runner,
        send_goal: Callable[[], None],
        on_chunk: Callable[[InferenceReport], None],
        log: Any,
        set_scheduling: Callable[[], None] = as_usual,
    ) -> None:
        """Get ready.

        Args:
            core: Has the observations and takes the chunks.
            runner: Asks the policy.
            send_goal: Lets the goal loop send a new chunk's first goal, before anything else.
            on_chunk: Told of every chunk, after that.
            log: The node's logger.
            set_scheduling: The first that the thread does.
        """
        self._core, self._runner, self._log = core, runner, log
        self._warnings = LimitedLog(lambda line: log.warning(line))  # noqa: PLW0108 - see LimitedLog
        self._send_goal, self._on_chunk = send_goal, on_chunk
        self._set_scheduling = set_scheduling
        self._streams = streams_of(core.embodiment)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 0.5) -> None:
        """End; an inference under way is waited for no longer than that, its result is not used."""
        self._ended.set()
        self._core.interrupt()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        self._set_scheduling()
        while not self._ended.is_set():
            with self._failures():
                if not self._runner.alive:
                    self._restart()
                    continue
                snapshot = self._core.next_observation(_LOOK_S, self._ended)
                if snapshot is None:
                    self._look_at_doubtful_images()
                    continue
                chunk = self._runner.infer(decoded(snapshot, self._streams))
                if self._ended.is_set():
                    return
                end_ns = self._core.now_ns()
                answer = self._core.accept(chunk, snapshot.epoch)
                late = answer.late_rows if answer.usable else None
                self._send_goal()
                instruction = snapshot.observation.instruction
                report = InferenceReport(chunk, instruction, snapshot.start_ns, end_ns, late)
                self._on_chunk(report)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Tell the core why there is no chunk; the robot holds for that reason."""
        try:
            yield
        except BadImageError as error:
            self._refuse(error)
            self._core.policy_failed(None)
        except EvlaError as error:
            reasons = (reason for kind, reason in _REASONS.items() if isinstance(error, kind))
            self._fail(next(reasons, Reason.POLICY_FAILED), str(error))
        except Exception as error:  # noqa: BLE001 - said, and the robot holds
            self._fail(Reason.POLICY_FAILED, f"{type(error).__name__}: {error}")

    def _look_at_doubtful_images(self) -> None:
        """Decode the newest image of each camera at fault, to see whether it is good again."""
        for camera, image in self._core.doubtful_images().items():
            try:
                decode_image(camera, image.data, self._streams)
            except BadImageError as error:
                self._refuse(error)
            else:
                self._core.image_decoded(camera)

    def _refuse(self, error: BadImageError) -> None:
        if self._core.refuse(f"camera {error.camera}", str(error)):
            self._warnings.say(f"camera {error.camera}: {error}")

    def _fail(self, reason: Reason, detail: str) -> None:
        if self._ended.is_set():
            return
        self._core.policy_failed(Finding(reason, detail))
        self._warnings.say(f"{reason.sentence} ({detail})")

    def _restart(self) -> None:
        self._core.policy_restarting(restarting=True)
        self._log.warning("the policy's process is gone; starting it again")
        start = time.monotonic()
        try:
            self._runner.start()
        except EvlaError as error:
            self._log.warning(f"the policy cannot be started: {error}")
            self._ended.wait(_RESTART_PAUSE_S)
            return
        self._core.policy_restarting(restarting=False)
        self._log.info(f"the policy is back after {time.monotonic() - start:.1f} s")
