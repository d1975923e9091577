# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla robot check`: hold an embodiment file to a running robot or a bag."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.doctor.finding import MachineFinding
    from evla_ros.embodiment import Embodiment

EXAMPLES = """examples:
  evla robot check my_robot.yaml                     the running graph (--live says so)
  evla robot check my_robot.yaml --bag demo_bag      what a bag has of it
  evla robot check my_robot.yaml --namespace left_robot --listen 10
  evla robot check my_robot.yaml --json

Frames, joint names, units and ranges, rates, ages, who publishes, who takes the commands, quality
of service: a row for each stream, and under every red one what mends it. Nothing is published.
exit code: 0 when nothing is red, 1 otherwise"""


@dataclass(frozen=True)
class Options:
    """Which file, and what it is held to."""

    file: Annotated[str, Option("embodiment file or name", metavar="FILE", positional=True)]
    live: Annotated[bool, Option("hold it to the running graph (as without --bag)")] = False
    bag: Annotated[Path | None, Option("hold it to a bag", metavar="BAG", unset="the graph")] = None
    namespace: Annotated[str, Option("of the robot", metavar="NAME", unset="none")] = ""
    listen: Annotated[
        float, Option("to the graph, for how long", metavar="S", above=0, most=3600, unit="seconds")
    ] = 5.0
    json: Annotated[bool, Option("print one JSON object")] = False


def run(options: Options) -> int:
    """Print the table; 1 when something is red."""
    from evla_ros.doctor.finding import healthy, to_json, to_table
    from evla_ros.embodiment import load_embodiment

    if options.live and options.bag is not None:
        raise EvlaError("--live and --bag exclude each other; leave one out")
    embodiment = load_embodiment(options.file)
    findings = list(_findings(options, embodiment))
    if options.json:
        print(to_json(findings))
        return 0 if healthy(findings) else 1
    print(to_table(findings, colour=sys.stdout.isatty()))
    reds = sum(finding.status == "red" for finding in findings)
    if reds:
        print(f"\n{reds} red; next: mend the file or the robot as said, and check again")
    elif options.bag is not None:
        follow = f"evla convert {options.bag} --out datasets --embodiment {options.file}"
        if not _says_the_task(options.bag, embodiment):
            follow += ' --instruction "WHAT IT SHOWS"'
        print(f"\nall well; next: `{follow}`")
    else:
        follow = f"evla run policy --embodiment {options.file} --set policy=circle shadow=true"
        print(f"\nall well; next: `{follow}`")
    return 0 if healthy(findings) else 1


def _says_the_task(bag: Path, embodiment: Embodiment) -> bool:
    """Return whether a bag has the task in words."""
    from evla_ros.data.bags.reader import open_bag
    from evla_ros.data.convert.bag_streams import find_topic

    with open_bag(bag) as opened:
        info = opened.info
        topic = find_topic(embodiment.instruction.topic, info.topics)
        heard = topic is not None and info.topics[topic].count != 0
        return heard or bool(info.custom_data.get("instruction"))


def _findings(options: Options, embodiment: Embodiment) -> Iterator[MachineFinding]:
    if options.bag is not None:
        from evla_ros.cli.reading_progress import ReadingProgress
        from evla_ros.data.survey.bag import survey_bag
        from evla_ros.doctor.robot.check import check

        with closing(ReadingProgress(options.bag.name)) as progress:
            survey = survey_bag(options.bag, progress)
        yield from check(embodiment, survey)
        return
    from evla_ros.cli.ros_needed import needs_ros

    needs_ros("evla robot check --live")
    from evla_ros.doctor.topics import check as check_graph

    yield from check_graph(embodiment, options.listen, f"/{options.namespace.strip('/')}")
