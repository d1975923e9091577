# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla status`: why the robot moves or not, what arrives and how fast, which limits clip."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from evla_ros.cli.ros_needed import needs_ros
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.ros.operator.client import OperatorClient
    from evla_ros.ros.operator.status_watch import StatusWatch

EXAMPLES = """examples:
  evla status                              every policy and recorder node that is there, once
  evla status --watch                      again and again, until Ctrl-C
  evla status --namespace left_robot
  evla status --json                       one object; with --watch one a line, twice a second

An exclamation mark is a stream that is older than it may be, or was never seen.
exit code: 0 when a node is there, 1 when none is"""

_FIND_S, _SETTLE_S, _PERIOD_S = 5.0, 1.0, 0.5
_CLEAR = "\033[H\033[2J"


@dataclass(frozen=True)
class Options:
    """Whose status, and how often."""

    watch: Annotated[bool, Option("show it again and again")] = False
    namespace: Annotated[str, Option("of one robot", metavar="NAME", unset="every robot's")] = ""
    json: Annotated[bool, Option("print JSON objects")] = False


def run(options: Options) -> int:
    """Print the status; 1 when no node of ours is there."""
    needs_ros("evla status")
    from evla_ros.ros.operator.client import OperatorClient
    from evla_ros.ros.operator.status_watch import StatusWatch

    with OperatorClient(options.namespace or "/") as client:
        watch = StatusWatch(client, everywhere=not options.namespace)
        try:
            return (
                _watch(client, watch, options) if options.watch else _once(client, watch, options)
            )
        except KeyboardInterrupt:
            return 0


def _once(client: OperatorClient, watch: StatusWatch, options: Options) -> int:
    if client.spin_until(watch.look, _FIND_S):
        client.spin_until(lambda: watch.look() and False, _SETTLE_S)  # others may come later
    rows = watch.rows()
    if options.json:
        print(json.dumps({"nodes": rows}, ensure_ascii=False))
    elif rows:
        _print(rows)
    else:
        print(f"error: {_nobody(client, options)}", file=sys.stderr)
    return 0 if rows else 1


def _watch(client: OperatorClient, watch: StatusWatch, options: Options) -> int:
    """Print until Ctrl-C: in place on a terminal, else what has changed."""
    client.spin_until(watch.look, _FIND_S)
    before: list[Any] = []
    while True:
        rows = watch.rows()
        if options.json:
            print(json.dumps({"nodes": rows}, ensure_ascii=False), flush=True)
        elif sys.stdout.isatty():
            sys.stdout.write(_CLEAR)
            print(f"{time.strftime('%H:%M:%S')}  (Ctrl-C ends)")
            _print(rows) if rows else print(_nobody(client, options))
        else:
            said = [
                (row["node"], row["state"], row.get("reason_text", row.get("text", "")))
                for row in rows
            ]
            for line in (line for line in said if line not in before):
                print(f"{time.strftime('%H:%M:%S')}  {line[0]}: {line[1]}: {line[2]}", flush=True)
            before = said
        client.spin_until(lambda: watch.look() and False, _PERIOD_S)


def _print(rows: list[dict[str, Any]]) -> None:
    from evla_ros.ros.operator.status_report import lines

    print("\n".join(lines(rows)))


def _nobody(client: OperatorClient, options: Options) -> str:
    where = f" in namespace /{options.namespace.strip('/')}" if options.namespace else ""
    return (
        f"no policy or recorder node is there{where} ({client.who_is_there()}); "
        "start one with `evla run policy`"
    )
