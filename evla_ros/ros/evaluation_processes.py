# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes of an evaluation as processes of their own: the simulated robot and the policy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError

_END_S = 10.0
_REFUSAL = "cannot configure: "


class NodeProcess:
    """One node with its parameters; its output goes to a file, ended by SIGINT."""

    def __init__(
        self,
        module: str,
        namespace: str,
        parameters: Mapping[str, Any],
        log: Path,
        params_file: Path | None = None,
    ) -> None:
        """Start it; the clock of the namespace is its own, so that evaluations do not meet."""
        words = [sys.executable, "-m", module, "--ros-args", "-r", f"__ns:={namespace}"]
        words += ["-r", f"/clock:={namespace}/clock"]
        words += ["--params-file", str(params_file)] if params_file is not None else []
        for name, value in parameters.items():
            words += ["-p", f"{name}:={_text(value)}"]
        self.name, self._log = module.rpartition(".")[2], log
        with log.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                words, stdout=output, stderr=subprocess.STDOUT, env={**os.environ}
            )

    def check(self) -> None:
        """Raise EvlaError when the node has ended, or stays because it cannot be configured."""
        if self._process.poll() is not None:
            raise EvlaError(f"{self.name} ended by itself: {self.last_words()}")
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            if _REFUSAL in line:
                raise EvlaError(line[line.index(_REFUSAL) :])

    def last_words(self) -> str:
        """Return the last error it wrote, else its last line."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        errors = [line for line in lines if "error" in line.lower()]
        return (errors or lines or ["(it wrote nothing)"])[-1]

    def end(self) -> None:
        """End the process, by force when it takes too long."""
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
        """Start them; sim and policy are their parameters."""
        self._folder = tempfile.TemporaryDirectory(prefix="evla_eval_")
        folder = Path(self._folder.name)
        robot = folder / "embodiment.yaml"
        robot.write_text(embodiment_text, encoding="utf-8")
        self.namespace = f"/evla_eval_{os.getpid()}"
        self.sim = NodeProcess(
            "evla_ros.ros.sim_main",
            self.namespace,
            {**sim, "embodiment": robot, "own_clock": True},
            folder / "sim.log",
        )
        self.policy = NodeProcess(
            "evla_ros.ros.policy_main",
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


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str | Path) else str(value)
