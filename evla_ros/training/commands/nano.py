# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train nano`: the whole recipe of `evla-nano`, from nothing to a checkpoint."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from evla_ros.training.errors import TrainingError

_EXAMPLES = """examples:
  evla train nano outputs/nano
  evla train nano outputs/short --episodes 100 --vision-steps 100 --steps 300

Stages: collect demonstrations, pretrain the encoders, train the policy; each is skipped when its
result is
there, and a stage that was killed goes on. Two processes of one thread beat one process of two
threads."""
_ROOT = Path(__file__).parents[3]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("output", help="folder of the recipe: data/, vision/, run/")
    add(
        "--config",
        default=str(_ROOT / "config" / "training" / "nano_tabletop.yaml"),
        help="of the last stage",
    )
    add("--episodes", type=int, default=1500, metavar="N", help="demonstrations (default: 1500)")
    add("--vision-steps", type=int, default=600, metavar="N", help="(default: 600)")
    add(
        "--steps",
        type=int,
        default=0,
        metavar="N",
        help="of the last stage (default: the configuration's)",
    )
    add(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        metavar="P",
        help="(default: one per core)",
    )
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Run the stages that are not done yet; prints the checkpoint."""
    folder, processes = Path(arguments.output), arguments.processes
    data = folder / "data" / "tabletop_nano"
    if not data.is_dir():
        _stage(
            "collect",
            ["collect", str(data), f"--episodes={arguments.episodes}", f"--workers={processes}"],
        )
    vision = folder / "vision" / "vision.safetensors"
    if not vision.is_file():
        words = [
            "vision",
            str(vision.parent),
            f"--dataset={data}",
            f"--steps={arguments.vision_steps}",
        ]
        _stage("vision", words)
    changes = [f"output={folder / 'run'}", f"datasets=[{{path: {data}}}]", f"model.vision={vision}"]
    if arguments.steps:
        changes.append(f"optimizer.steps={arguments.steps}")
    resume = ["--resume"] if (folder / "run" / "state").is_dir() else []
    _stage("finetune", [arguments.config, *changes, *resume], processes)
    print(folder / "run" / "best")
    return 0


def _stage(name: str, words: list[str], processes: int = 0) -> None:
    started = time.monotonic()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if processes:
        launch = [
            "torch.distributed.run",
            f"--nproc-per-node={processes}",
            "-m",
            "evla_ros.training.train",
        ]
    else:
        launch = ["evla_ros", "train"]
    done = subprocess.run([sys.executable, "-m", *launch, *words], env=environment, check=False)
    if done.returncode:
        raise TrainingError(f"the stage {name!r} failed (exit code {done.returncode}), see above")
    print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
