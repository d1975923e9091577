# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla doctor`: what is in order on this machine and robot, and how to mend what is not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.doctor.finding import MachineFinding
    from evla_ros.embodiment import Embodiment

EXAMPLES = """examples:
  evla doctor
  evla doctor --embodiment tabletop_arm      are its cameras and topics alive, and how fast
  evla doctor --embodiment tabletop_arm --sros2-policy evla.policy.xml       docs/network.md
  evla doctor --json                         one object, for a machine to read
exit code: 0 when nothing is red, 1 otherwise"""


@dataclass(frozen=True)
class Options:
    """What is looked at besides this machine."""

    embodiment: Annotated[
        str, Option("also listen to its topics", "NAME_OR_FILE", unset="no robot's")
    ] = ""
    listen: Annotated[float, Option("for how long", metavar="S", above=0, unit="seconds")] = 3.0
    bags: Annotated[Path, Option("where bags would go", metavar="DIR")] = Path()
    sros2_policy: Annotated[
        Path | None,
        Option("write the SROS2 policy of its nodes, do not listen", metavar="FILE", unset="none"),
    ] = None
    namespace: Annotated[str, Option("of the robot's nodes", metavar="/NAME")] = "/"
    params: Annotated[
        tuple[Path, ...],
        Option("parameter files of the nodes, for the policy", metavar="FILE", unset="none"),
    ] = ()
    json: Annotated[bool, Option("print one JSON object")] = False


def run(options: Options) -> int:
    """Look at everything, print the table, return 1 when something is red."""
    from evla_ros.doctor.finding import healthy, to_json, to_table

    findings = list(_findings(options))
    if options.json:
        print(to_json(findings))
    else:
        print(to_table(findings, colour=sys.stdout.isatty()))
        reds = sum(finding.status == "red" for finding in findings)
        print(f"\n{reds} red; mend it as said, then: evla doctor" if reds else "\nall well")
        if not reds and not options.embodiment:
            from evla_ros.cli.next_command import say_next

            say_next("evla", "demo")
    return 0 if healthy(findings) else 1


def _findings(options: Options) -> Iterator[MachineFinding]:
    from evla_ros.doctor import exposure, machine, ros_install, topics
    from evla_ros.doctor.finding import note
    from evla_ros.embodiment import load_embodiment

    _refuse_idle(options)
    embodiment = load_embodiment(options.embodiment) if options.embodiment else None
    written = _write_policy(options, embodiment)
    yield from machine.check(options.bags)
    yield from machine.check_torch()
    yield from machine.check_rendering()
    ros = list(ros_install.check())
    yield from ros
    seen = {finding.name: finding.status for finding in ros}
    if "middleware" in seen:
        yield from exposure.check(os.environ)
    if written is not None:
        yield written
    elif embodiment is not None and seen.get("self-test") == "ok":
        yield from topics.check(embodiment, options.listen, options.namespace)
    elif embodiment is not None:
        yield note("topics", "all", "not listened to", "mend what is red of ROS 2 first")


def _write_policy(options: Options, embodiment: Embodiment | None) -> MachineFinding | None:
    """Write the SROS2 policy of a robot's nodes where one is asked for."""
    if options.sros2_policy is None or embodiment is None:
        return None
    from evla_ros.doctor.finding import ok
    from evla_ros.errors import EvlaError

    try:
        from evla_ros.ros.security.policy_file import write_policy
    except ImportError as error:
        raise EvlaError(
            f"--sros2-policy needs ROS 2 in this Python ({error}): source it, or `. ./env.sh`"
        ) from error
    target = options.sros2_policy
    nodes = write_policy(target, embodiment, options.namespace, options.params)
    return ok("network", "SROS2 policy", f"wrote {target}: {', '.join(nodes)}")


def _refuse_idle(options: Options) -> None:
    """Raise for an option that would do nothing."""
    from evla_ros.errors import EvlaError

    if not options.bags.is_dir():
        raise EvlaError(f"--bags {options.bags}: there is no such folder; create it first")
    if options.params and options.sros2_policy is None:
        raise EvlaError("--params is for the policy file; add --sros2-policy FILE")
    robots = {"--sros2-policy": options.sros2_policy, "--namespace": options.namespace != "/"}
    for name, given in robots.items():
        if given and not options.embodiment:
            raise EvlaError(f"{name} needs the robot: add --embodiment NAME_OR_FILE")
