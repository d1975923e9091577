# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that asks the policy whenever the core wants a chunk; no goal waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from evla_ros.control.reasons import Finding, Reason
from evla_ros.errors import EvlaError
from evla_ros.policy.errors import PolicyTimeoutError, WorkerDiedError
from evla_ros.policy.runner import Runner
from evla_ros.policy.scheduling import as_usual
from evla_ros.policy.types import Chunk
from evla_ros.ros.observation_builder import BadImageError, decoded
from evla_ros.ros.observation_gate import ObservationGate
from evla_ros.ros.shared_core import SharedCore

_IDLE_S = 0.02
_RESTART_PAUSE_S = 1.0


@dataclass(frozen=True, eq=False)
class InferenceReport:
    """One chunk and its times on the node's clock; late_rows None: the chunk was not used."""

    chunk: Chunk
    instruction: str
    start_ns: int
    end_ns: int
    late_rows: int | None


class Log(Protocol):
    """Where sentences go."""

    def warning(self, message: str) -> object:
        """Take a sentence."""

    def info(self, message: str) -> object:
        """Take a sentence."""


class InferenceLoop:
    """Runs from activate to deactivate."""

    def __init__(
        self,
        core: SharedCore,
        gate: ObservationGate,
        runner: Runner,
        on_chunk: Callable[[InferenceReport], None],
        log: Log,
        set_scheduling: Callable[[], None] = as_usual,
    ) -> None:
        """on_chunk is called from this thread; set_scheduling is the first that it does."""
        self._embodiment, self._controller = core.embodiment, core.controller
        self._lock, self._now_ns = core.lock, core.now_ns
        self._gate, self._runner = gate, runner
        self._on_chunk, self._log = on_chunk, log
        self._set_scheduling = set_scheduling
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now whether a chunk is wanted."""
        self._wake.set()

    def stop(self, timeout_s: float = 0.5) -> None:
        """End; an inference under way is waited for no longer than that, its result is not used."""
        self._stop.set()
        self._wake.set()
        self._gate.close()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        self._set_scheduling()
        while not self._stop.is_set():
            self._wake.wait(_IDLE_S)
            self._wake.clear()
            try:
                if not self._runner.alive:
                    self._restart()
                elif self._wanted() and self._gate.has_new_image():
                    self._infer_once()
            except Exception as error:  # noqa: BLE001 - said, and the robot holds
                self._fail(Reason.POLICY_FAILED, f"{type(error).__name__}: {error}")

    def _wanted(self) -> bool:
        with self._lock:
            return self._controller.wants_inference(self._now_ns())

    def _infer_once(self) -> None:
        start_ns = self._now_ns()
        try:
            taken = self._gate.take()
            if taken is None:
                return
            chunk = self._runner.infer(decoded(taken, self._embodiment))
        except BadImageError as error:
            self._reject(error)
            return
        except PolicyTimeoutError as error:
            self._fail(Reason.POLICY_TIMEOUT, str(error))
            return
        except WorkerDiedError as error:
            self._fail(Reason.POLICY_RESTARTING, str(error))
            return
        except EvlaError as error:
            self._fail(Reason.POLICY_FAILED, str(error))
            return
        end_ns = self._now_ns()
        if self._stop.is_set():
            return
        with self._lock:
            late = self._controller.accept(chunk, taken.epoch, end_ns)
        instruction = taken.observation.instruction
        self._on_chunk(InferenceReport(chunk, instruction, start_ns, end_ns, late))

    def _reject(self, error: BadImageError) -> None:
        with self._lock:
            self._controller.inputs.cameras[error.camera].invalid = str(error)
            self._controller.policy.discarded()
        self._log.warning(f"camera {error.camera}: {error}")

    def _fail(self, reason: Reason, detail: str) -> None:
        with self._lock:
            self._controller.policy.failed(Finding(reason, detail), self._now_ns())
        if not self._stop.is_set():
            self._log.warning(f"{reason.sentence} ({detail})")

    def _restart(self) -> None:
        with self._lock:
            self._controller.policy.restarting = True
        self._log.warning("the policy's process is gone; starting it again")
        start = time.monotonic()
        try:
            self._runner.start()
        except EvlaError as error:
            self._log.warning(f"the policy cannot be started: {error}")
            self._stop.wait(_RESTART_PAUSE_S)
            return
        with self._lock:
            self._controller.policy.restarting = False
        self._log.info(f"the policy is back after {time.monotonic() - start:.1f} s")
