# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla console`: the operator's page, for a robot's graph."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from evla_ros.cli.ros_needed import needs_ros
from evla_ros.console.options import Listening
from evla_ros.options import Option

EXAMPLES = """examples:
  evla console                                              http://127.0.0.1:8080, this machine only
  evla console --embodiment my_robot.yaml --recordings recordings
  evla console --host 0.0.0.0 --plaintext                   a phone, on a network of your own
  evla console --host 0.0.0.0 --token-file people.token --tls-cert robot.pem --tls-key robot.key
  evla console --namespace left_robot --port 8081

The page shows and asks the nodes that run: evla run policy, evla run recorder, evla run teleop.
Ctrl-C ends the page and nothing else. Exit code 2: it could not listen. See docs/console.md."""


@dataclass(frozen=True)
class Options:
    """Whose console, and where it listens."""

    listening: Listening = field(default_factory=Listening)
    embodiment: Annotated[str, Option("the robot: name or file", "NAME_OR_FILE")] = "tabletop_arm"
    recordings: Annotated[Path, Option("folder of the bags: the recorder's output", "DIR")] = Path(
        "recordings"
    )
    datasets: Annotated[Path, Option("folder that the dataset button converts into", "DIR")] = Path(
        "datasets"
    )
    namespace: Annotated[str, Option("of the robot", "NAME", unset="none")] = ""


def run(options: Options) -> int:
    """Serve the page until Ctrl-C."""
    needs_ros("evla console")
    import os
    from dataclasses import asdict

    from evla_ros.embodiment import load_embodiment
    from evla_ros.ros.executables import run as run_executable
    from evla_ros.ros.node_arguments import enclave_arguments, parameter_arguments

    load_embodiment(options.embodiment)
    listening = asdict(options.listening)
    parameters = {
        **listening,
        "origins": ",".join(options.listening.origins),
        "embodiment": options.embodiment,
        "recordings": options.recordings,
        "datasets": options.datasets,
    }
    argv = ["--ros-args", *parameter_arguments(parameters)]
    if options.namespace:
        argv += ["-r", f"__ns:=/{options.namespace.strip('/')}"]
    argv += enclave_arguments("console", options.namespace, os.environ)
    sys.argv = [sys.argv[0], *argv]
    return run_executable("console")
