# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes of an evaluation as processes of their own: the simulated robot and the policy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evla_ros.errors import EvlaError
from evla_ros.ros.executables import MODULES
from evla_ros.ros.node_arguments import parameter_arguments

if TYPE_CHECKING:
    from typing_extensions import Self

_END_S = 10.0
_REFUSAL = "cannot configure: "


class NodeProcess:
    """One node in a process of its own; a context manager, which ends the process."""

    def __init__(
        self,
        node: str,
        namespace: str,
        parameters: Mapping[str, Any],
        log: Path,
        params_file: Path | None = None,
        moved: Iterable[str] = (),
    ) -> None:
        """Start the node; its namespace has a clock of its own, so that evaluations do not meet.

        Args:
            node: name of its executable, such as `policy`.
            namespace: where it lives, such as `/evla_eval_1234`.
            parameters: its parameters, beside those of the file.
            log: file for its output.
            params_file: a parameter file.
            moved: topics with absolute names (`/tf`) that it has under its namespace instead.
        """
        argv = [sys.executable, "-m", MODULES[node], "--ros-args", "-r", f"__ns:={namespace}"]
        for topic in sorted({"/clock", *moved}):
            argv += ["-r", f"{topic}:={namespace}{topic}"]
        argv += ["--params-file", str(params_file)] if params_file is not None else []
        argv += parameter_arguments(parameters)
        self.name, self._log = node, log
        with log.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                argv, stdout=output, stderr=subprocess.STDOUT, env={**os.environ}
            )

    def check(self) -> None:
        """Raise EvlaError when the node has ended, or cannot be configured."""
        ended = self._process.poll() is not None
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            if _REFUSAL in line:
                raise EvlaError(line[line.index(_REFUSAL) :])
        if ended:
            raise EvlaError(f"{self.name} ended by itself: {self.last_words()}")

    def last_words(self) -> str:
        """Return the last error it wrote, else its last line."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        errors = [line for line in lines if "error" in line.lower()]
        return (errors or lines or ["(it wrote nothing)"])[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End the process with SIGINT, by force when it takes too long."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class EvaluationProcesses:
    """Both nodes under one namespace, and a folder for their output."""

    def __init__(
        self, embodiment_text: str, sim: Mapping[str, Any], policy: Mapping[str, Any]
    ) -> None:
        """Start both nodes with their parameters, and the robot of the embodiment text."""
        self._folder = tempfile.TemporaryDirectory(prefix="evla_eval_")
        folder = Path(self._folder.name)
        robot = folder / "embodiment.yaml"
        robot.write_text(embodiment_text, encoding="utf-8")
        self.namespace = f"/evla_eval_{os.getpid()}"
        self.sim = NodeProcess(
            "sim",
            self.namespace,
            {**sim, "embodiment": robot, "own_clock": True},
            folder / "sim.log",
        )
        self.policy = NodeProcess(
            "policy",
            self.namespace,
            {**policy, "embodiment": robot, "use_sim_time": True, "autostart": True},
            folder / "policy.log",
        )

    def check(self) -> None:
        """Raise EvlaError when a node has ended."""
        self.sim.check()
        self.policy.check()

    def end(self) -> None:
        """End both and remove their output."""
        self.policy.end()
        self.sim.end()
        self._folder.cleanup()
