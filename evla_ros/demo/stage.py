# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes of the demonstration: the same two that a launch file starts, from the same files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.demo.audience import Audience
from evla_ros.demo.rehearsal import Rehearsal
from evla_ros.embodiment import Embodiment, embodiment_folder
from evla_ros.ros.evaluation_processes import NodeProcess

LOAD_LIMIT_S = 180.0


@dataclass(frozen=True)
class Stage:
    """Which robot, which checkpoint ('' follows rehearsals), and where logs lie."""

    world: str
    embodiment: Embodiment
    checkpoint: str
    folder: Path
    namespace: str

    @contextmanager
    def robot(self) -> Iterator[NodeProcess]:
        """Run the simulated robot."""
        sim = {"world": self.world, "own_clock": True, "publish_instruction": True}
        node = self._node("sim", sim)
        try:
            yield node
        finally:
            node.end()

    @contextmanager
    def policy(self, rehearsal: Rehearsal) -> Iterator[NodeProcess]:
        """Run the policy node, active and not started."""
        decides: dict[str, Any] = {"policy": "evla", "checkpoint": self.checkpoint}
        if not self.checkpoint:
            path = self.folder / f"path_{rehearsal.seed}.npy"
            np.save(path, rehearsal.path, allow_pickle=False)
            decides = {"policy": "path", "checkpoint": str(path)}
        node = self._node(
            "policy",
            {**decides, "embodiment": self.world, "use_sim_time": True, "autostart": True},
        )
        try:
            yield node
        finally:
            node.end()

    @contextmanager
    def audience(self, check: Callable[[], None]) -> Iterator[Audience]:
        """Watch, from when the policy says that it is there."""
        audience = Audience(self.namespace, self.embodiment, check)
        try:
            audience.wait(lambda: audience.policy is not None, LOAD_LIMIT_S, "the policy node")
            yield audience
        finally:
            audience.close()

    def _node(self, name: str, parameters: dict[str, Any]) -> NodeProcess:
        params_file = embodiment_folder().parent / "params" / f"{name}.yaml"
        log = self.folder / f"{name}.log"
        module = f"evla_ros.ros.{name}_main"
        return NodeProcess(module, self.namespace, parameters, log, params_file=params_file)


@contextmanager
def set_stage(world: str, embodiment: Embodiment, checkpoint: str) -> Iterator[Stage]:
    """Make a stage in a namespace of its own; its logs go when it ends."""
    with tempfile.TemporaryDirectory(prefix="evla_demo_") as folder:
        yield Stage(world, embodiment, checkpoint, Path(folder), f"/evla_demo_{os.getpid()}")
