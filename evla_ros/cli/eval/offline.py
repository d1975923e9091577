# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval offline`: a checkpoint on held-out episodes, through the code that serves it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.options import Option
from evla_ros.training.evaluation.offline_settings import OfflineEvaluation

if TYPE_CHECKING:
    from evla_ros.training.evaluation.parity import AskLive

EXAMPLES = """examples:
  evla eval offline --policy outputs/run/best --dataset outputs/data/my_robot
  evla eval offline --policy outputs/run/best --dataset outputs/data/my_robot --out outputs/offline
  evla eval offline --policy outputs/run/best --dataset outputs/data/my_robot --split train --live

Every chosen frame goes through the predictor that the policy node runs: errors are in metres,
radians and gripper openings per number of the action; token agreement is exact and within 4 of the
256 bins. --live is the gate between training and serving: frames replayed to the real node over DDS
against the trainer's own batches (exit code 1 when a token differs; no goal leaves the node)."""


@dataclass(frozen=True)
class Options:
    """An evaluation, and how its report is shown."""

    evaluation: OfflineEvaluation
    json: Annotated[bool, Option("print the report as JSON")] = False


def run(options: Options) -> int:
    """Compare, print the table or JSON, write the folder when asked; 1: the live gate failed."""
    from evla_ros.training.evaluation.offline_eval import evaluate_offline, table

    asked = options.evaluation
    ask_live = _live_node(asked) if asked.live else None
    report = evaluate_offline(asked, ask_live)
    print(json.dumps(report, indent=1) if options.json else table(report))
    if not options.json:
        from evla_ros.cli.next_command import say_next

        say_next("evla", "run", "policy", "--set", f"checkpoint={asked.policy}", "shadow=true")
    return 0 if report.get("live", {}).get("passed", True) else 1


def _live_node(asked: OfflineEvaluation) -> AskLive:
    from evla_ros.training.errors import TrainingError

    checkpoint = Path(asked.policy).resolve()
    runtime = asked.runtime or ("auto" if (checkpoint / "runtime.json").is_file() else "torch")
    try:
        from evla_ros.ros.evaluation.live_replay import ask_live_node
    except ImportError as error:
        raise TrainingError(
            f"--live needs ROS 2 and the built interfaces ({error}); run `make build` and "
            "`. ./env.sh`"
        ) from error
    return lambda embodiment, moments: ask_live_node(
        checkpoint, embodiment, moments, asked.device, runtime
    )
