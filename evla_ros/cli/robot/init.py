# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla robot init`: look at a robot, ask where it is not clear, and write its embodiment file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.data.survey.survey import Survey

EXAMPLES = """examples:
  evla robot init my_robot.yaml                          from the running graph; start your drivers
  evla robot init my_robot.yaml --from demo_bag          from a bag
  evla robot init my_robot.yaml --yes                    take the likeliest, ask nothing
  evla robot init left.yaml --namespace left_robot --listen 20

Move the arm through its workspace and open and close the gripper meanwhile: workspace, gripper and
ages are proposed from what is seen. Nothing is published. Lines with CHECK are guesses."""


@dataclass(frozen=True)
class Options:
    """What is looked at, and what is written."""

    out: Annotated[Path, Option("the new embodiment file", metavar="OUT.yaml", positional=True)]
    source: Annotated[
        str, Option("a bag, or graph: what is running now", metavar="graph|BAG", flag="from")
    ] = "graph"
    yes: Annotated[bool, Option("take the likeliest everywhere, ask nothing")] = False
    name: Annotated[str, Option("of the robot", metavar="NAME", unset="the file's")] = ""
    namespace: Annotated[str, Option("of the robot", metavar="NAME", unset="none")] = ""
    listen: Annotated[
        float, Option("to the graph, for how long", metavar="S", above=0, most=3600, unit="seconds")
    ] = 10.0


def run(options: Options) -> int:
    """Write the file; 0 when it was written."""
    from evla_ros.data.proposal.propose import propose

    _refuse_mistakes(options)
    survey = _survey(options)
    chooser = None if options.yes else _Asking()
    proposal = propose(survey, options.name or options.out.stem, options.namespace, chooser)
    with options.out.open("x", encoding="utf-8") as file:
        file.write(proposal.text)
    embodiment = proposal.embodiment
    cameras, arms = ", ".join(embodiment.cameras), ", ".join(arm.name for arm in embodiment.arms)
    print(f"wrote {options.out}: cameras {cameras}; arms {arms}; {embodiment.rate_hz:g} Hz")
    print(f"{len(proposal.checks)} lines to check in it:")
    print("\n".join(f"  {line}" for line in proposal.checks))
    bag = "" if options.source == "graph" else f" --bag {options.source}"
    print(f"next: edit it, then `evla robot check {options.out}{bag}`")
    return 0


def _refuse_mistakes(options: Options) -> None:
    out = options.out
    if out.suffix not in (".yaml", ".yml"):
        raise EvlaError(f"{out}: an embodiment file ends in .yaml")
    if out.exists():
        raise EvlaError(f"{out} exists already; remove it or name another file")
    if not out.parent.is_dir():
        raise EvlaError(f"{out.parent}: there is no such folder; create it first")
    if not options.yes and not sys.stdin.isatty():
        raise EvlaError("there is no terminal to ask on; add --yes to take the likeliest")


def _survey(options: Options) -> Survey:
    if options.source != "graph":
        from evla_ros.cli.reading_progress import ReadingProgress
        from evla_ros.data.survey.bag import survey_bag

        with closing(ReadingProgress(Path(options.source).name)) as progress:
            return survey_bag(Path(options.source), progress)
    from evla_ros.cli.ros_needed import needs_ros

    needs_ros("evla robot init --from graph")
    from evla_ros.ros.graph_survey import survey_graph

    print(
        f"listening for {options.listen:g} s: move the arm, open and close the gripper", flush=True
    )
    survey, problems = survey_graph(options.listen, f"/{options.namespace.strip('/')}")
    for sentence in problems:
        print(f"note: {sentence}", file=sys.stderr)
    return survey


class _Asking:
    """Asks on the terminal; an empty answer is the first one."""

    def choose(self, question: str, labels: Sequence[str]) -> int:
        """Return the place of the answer."""
        print(question)
        for number, label in enumerate(labels, 1):
            print(f"  {number}  {label}")
        while True:
            answer = input(f"[1-{len(labels)}, Enter for 1] ").strip() or "1"
            if answer.isdigit() and 1 <= int(answer) <= len(labels):
                return int(answer) - 1
            print(f"  {answer!r} is not among 1 to {len(labels)}")
