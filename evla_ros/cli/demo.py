# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla demo`: the main job end to end, on this machine, over real ROS 2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.errors import EvlaError
from evla_ros.options import Option

EXAMPLES = """examples:
  evla demo
  evla demo --console                                       a page to watch it, stop it and drive
  evla demo --world humanoid_upper_body --tasks lift_tray hand_over
  evla demo --server ws://gpu.lab:8000
  evla demo --checkpoint my_checkpoint --video demo.mp4

Starts the simulated robot and the policy node from the files in config/params, as
bringup.launch.py does. Exit code 0: every task was solved."""


@dataclass(frozen=True)
class Options:
    """Which robot does what, and who moves it."""

    world: Annotated[str, Option("tabletop_arm, humanoid_upper_body or mobile_manipulator")] = (
        "tabletop_arm"
    )
    tasks: Annotated[
        tuple[str, ...], Option("task families, one episode each", "FAMILY", unset="the demo's own")
    ] = ()
    seed: Annotated[int, Option("of the first episode", least=0)] = 0
    checkpoint: Annotated[str, Option("EVLA checkpoint", "DIR", unset="the shipped one")] = ""
    runtime: Annotated[
        Literal["auto", "torch", "openvino", "onnx"],
        Option("computes the network; auto: the fastest that is there"),
    ] = "auto"
    server: Annotated[
        str, Option("policy server instead: ws://HOST:PORT, wss://HOST:PORT", "URL", unset="none")
    ] = ""
    token_file: Annotated[str, Option("the server's token", "FILE", unset="none")] = ""
    ca_file: Annotated[
        str, Option("certificate of the server's authority", "FILE", unset="the system's")
    ] = ""
    rehearsed: Annotated[bool, Option("no network: follow the scripted expert's path")] = False
    console: Annotated[bool, Option("serve the operator's page meanwhile, and open it")] = False
    video: Annotated[
        Path | None, Option("MP4 to write", "MP4", unset="outputs/demo_<world>.mp4")
    ] = None


def run(options: Options) -> int:
    """Play; 0 when every task was solved, 1 when not."""
    from evla_ros.embodiment import load_embodiment
    from evla_ros.policy.remote.address import ServerAddress
    from evla_ros.policy.shipped import shipped_checkpoint
    from evla_ros.sim.description import describe

    describe(options.world)  # an unknown world is refused before anything starts
    given = {
        "--checkpoint": options.checkpoint,
        "--server": options.server,
        "--rehearsed": options.rehearsed,
    }
    chosen = [name for name, value in given.items() if value]
    if len(chosen) > 1:
        raise EvlaError(f"{' and '.join(chosen)} exclude each other; leave one out")
    if (options.token_file or options.ca_file) and not options.server:
        raise EvlaError("--token-file and --ca-file have no effect without --server")
    if options.runtime != "auto" and (options.server or options.rehearsed):
        other = "--server" if options.server else "--rehearsed"
        raise EvlaError(f"--runtime has no effect with {other}; leave it out")
    print("A simulated robot does what it is told in words, over real ROS 2 nodes.", flush=True)
    try:
        from evla_ros.demo.show import show
    except ModuleNotFoundError as error:
        raise EvlaError(
            f"the demo needs ROS 2, the built interfaces and the simulator ({error}); "
            "run `make build` and `. ./env.sh`"
        ) from error
    server = None
    if options.server:
        server = ServerAddress(options.server, options.token_file, options.ca_file)
    shipped = shipped_checkpoint(load_embodiment(options.world))
    checkpoint = "" if options.rehearsed else options.checkpoint or str(shipped or "")
    video = options.video or Path("outputs") / f"demo_{options.world}.mp4"
    solved = show(
        options.world,
        list(options.tasks),
        options.seed,
        checkpoint,
        Path(video),
        server,
        console=options.console,
        runtime=options.runtime,
    )
    return 0 if solved else 1
