# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes of the demonstration: the same two that a launch file starts, from the same files."""

from __future__ import annotations

import os
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.demo.observer import Observer
from evla_ros.demo.rehearsal import Rehearsal
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.ros.evaluation.processes import NodeProcess
from evla_ros.shared_files import node_parameters

LOAD_LIMIT_S = 180.0
PAGE_LIMIT_S = 60.0
USUAL_PORT = 8080


@dataclass(frozen=True)
class Session:
    """The nodes of one demonstration, in one ROS namespace.

    Attributes:
        world: name of the simulated world.
        embodiment: its robot.
        checkpoint: folder of the policy; empty lets the node follow rehearsals.
        folder: where the nodes' logs go.
        namespace: namespace of the nodes.
        server: where the policy is instead; None: here.
        runtime: what computes its network.
    """

    world: str
    embodiment: Embodiment
    checkpoint: str
    folder: Path
    namespace: str
    server: ServerAddress | None = None
    runtime: str = "auto"

    @property
    def positions(self) -> Path:
        """Where the simulated robot writes, when it ends, what a film is drawn from."""
        return self.folder / "positions.npz"

    def robot(self) -> NodeProcess:
        """Start the simulated robot."""
        sim = {"world": self.world, "own_clock": True, "publish_instruction": True}
        sim["positions"] = str(self.positions)
        return self._node("sim", sim)

    def policy(self, rehearsal: Rehearsal) -> NodeProcess:
        """Start the policy node, active but not moving; without a checkpoint it follows a path."""
        decides: dict[str, Any] = {
            "policy": "evla",
            "checkpoint": self.checkpoint,
            "runtime": self.runtime,
        }
        if self.server is not None:
            place = self.server
            decides = {"policy": "remote", "server": place.url}
            decides |= {"token_file": place.token_file, "ca_file": place.ca_file}
        elif not self.checkpoint:
            path = self.folder / f"path_{rehearsal.seed}.npy"
            np.save(path, rehearsal.path, allow_pickle=False)
            decides = {"policy": "path", "checkpoint": str(path)}
        own = {"embodiment": self.world, "use_sim_time": True, "autostart": True}
        return self._node("policy", {**decides, **own})

    @contextmanager
    def observer(self, check: Callable[[], None]) -> Iterator[Observer]:
        """Watch the nodes from the policy's first status on; `check` raises when one has ended."""
        with Observer(self.namespace, self.embodiment, check) as observer:
            observer.wait(lambda: observer.policy is not None, LOAD_LIMIT_S, "the policy node")
            yield observer

    @contextmanager
    def console(self) -> Iterator[str]:
        """Serve the operator's page, with teleoperation behind it; yields its address."""
        own = {"embodiment": self.world, "use_sim_time": True}
        page = {"port": _free_port(), "recordings": str(self.folder / "recordings")}
        with (
            self._node("teleop", {**own, "keyboard": False}),
            self._node(
                "console", {**own, **page, "datasets": str(self.folder / "datasets")}
            ) as console,
        ):
            address = f"http://127.0.0.1:{page['port']}/"
            _wait_for_page(address, console.check)
            yield address

    def _node(self, name: str, parameters: dict[str, Any]) -> NodeProcess:
        params_file = node_parameters(name)
        log = self.folder / f"{name}.log"
        return NodeProcess(name, self.namespace, parameters, log, params_file=params_file)


def _free_port() -> int:
    """Return the usual port, or one that is free where somebody has that."""
    for port in (USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EvlaError("no port is free on 127.0.0.1")


def _wait_for_page(address: str, check: Callable[[], None]) -> None:
    end_s = time.monotonic() + PAGE_LIMIT_S
    while time.monotonic() < end_s:
        check()
        try:
            with urllib.request.urlopen(f"{address}healthz", timeout=1.0):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise EvlaError(f"the console did not answer at {address} within {PAGE_LIMIT_S:g} s")


@contextmanager
def open_session(
    world: str,
    embodiment: Embodiment,
    checkpoint: str,
    server: ServerAddress | None = None,
    runtime: str = "auto",
) -> Iterator[Session]:
    """Open a session in a namespace of its own; its logs are removed when it ends."""
    with tempfile.TemporaryDirectory(prefix="evla_demo_") as folder:
        namespace = f"/evla_demo_{os.getpid()}"
        yield Session(world, embodiment, checkpoint, Path(folder), namespace, server, runtime)
