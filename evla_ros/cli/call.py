# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla call`: ask a running node for something, and say what it answers."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from evla_ros.cli.ros_needed import needs_ros
from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.ros.operator.client import OperatorClient

_SETTLE_S = 2.0
EXAMPLES = """examples:
  evla call policy                                          what it can be asked for
  evla call policy set_instruction "pick up the red block"
  evla call policy start | stop | reset_estop
  evla call policy configure | activate | deactivate | cleanup | shutdown | state
  evla call recorder start | keep | discard | mark_success | mark_failure
  evla call recorder intervention on
  evla call teleop reset_estop
  evla call sim reset stack --seed 5
  evla call policy start --namespace left_robot     the same: evla call /left_robot/policy start

exit code: 0 done, 1 refused (the sentence says why) or nobody is there, 2 it cannot be asked for"""


@dataclass(frozen=True)
class Options:
    """Who is asked for what."""

    node: Annotated[
        str, Option("policy, recorder, teleop, sim, or a full name", "NODE", positional=True)
    ]
    service: Annotated[
        str, Option("what it shall do", "SERVICE", positional=True, unset="show what it can do")
    ] = ""
    text: Annotated[
        str | None,
        Option("what the service takes: an instruction, on or off", "TEXT", positional=True,
               unset="nothing"),
    ] = None  # fmt: skip
    seed: Annotated[int | None, Option("of a reset", metavar="N", unset="drawn")] = None
    namespace: Annotated[str, Option("of the robot", metavar="NAME")] = "/"
    wait: Annotated[float, Option("for the answer", metavar="S", above=0, unit="seconds")] = 120.0
    json: Annotated[bool, Option("print one JSON object")] = False


def run(options: Options) -> int:
    """Ask, print the answer, and return 1 for a refusal."""
    needs_ros("evla call")
    from evla_ros.ros.operator.client import NotDoneError, OperatorClient

    with OperatorClient(options.namespace) as client:
        node = client.full_name(options.node)
        try:
            client.find(options.node)
            if not options.service:
                return _list(client, node, options)
            done, sentence = True, _ask(client, node, options)
        except NotDoneError as error:
            done, sentence = False, str(error)
    if options.json:
        row = {"node": node, "service": options.service, "success": done, "message": sentence}
        print(json.dumps(row, ensure_ascii=False))
    elif done:
        print(sentence)
    else:
        print(f"not done: {sentence}", file=sys.stderr)
    return 0 if done else 1


def _ask(client: OperatorClient, node: str, options: Options) -> str:
    """Return what the node answers; NotDoneError with its sentence when it refuses."""
    from evla_ros.ros.operator import lifecycle
    from evla_ros.ros.operator.client import NotDoneError
    from evla_ros.ros.operator.requests import Asked, request_for

    service, offered = options.service, _offered(client, node, options.service)
    if service in lifecycle.WORDS and lifecycle.SERVICE in offered:
        if options.text is not None:
            raise EvlaError(f"{service!r} takes no text; leave {options.text!r} out")
        if service == "state":
            return str(lifecycle.state_of(client, node).label)
        return lifecycle.change(client, node, service, options.wait)
    if service not in offered and lifecycle.SERVICE in offered:
        state = lifecycle.state_of(client, node)
        if state.id == lifecycle.UNCONFIGURED:
            raise NotDoneError(
                f"{node} is unconfigured and offers no {service!r} yet; "
                f"`evla call {options.node} configure` and `activate` come first"
            )
    try:
        kind, request = request_for(service, offered, Asked(options.text, options.seed))
    except EvlaError as error:
        raise EvlaError(f"{node}: {error}; see `evla call {options.node}`") from error
    answer = client.ask(node, service, kind, request, options.wait)
    if not answer.success:
        raise NotDoneError(answer.message or f"{node} answers {service!r} with success=False")
    return str(answer.message) or "done"


def _offered(client: OperatorClient, node: str, service: str) -> dict[str, str]:
    """Return a node's services; one that has just started may be known before all of them are."""
    from evla_ros.ros.operator import lifecycle

    found: dict[str, str] = {}

    def complete() -> bool:
        found.update(client.services_of(node))
        return service in found or (service in lifecycle.WORDS and lifecycle.SERVICE in found)

    client.spin_until(complete, _SETTLE_S)
    return found


def _list(client: OperatorClient, node: str, options: Options) -> int:
    """Print what a node can be asked for."""
    from evla_ros.ros.operator import lifecycle
    from evla_ros.ros.operator.requests import callable_services

    offered = _offered(client, node, "")
    rows = callable_services(offered)
    words = list(lifecycle.WORDS) if lifecycle.SERVICE in offered else []
    if options.json:
        print(json.dumps({"node": node, "services": rows, "lifecycle": words}))
        return 0
    state = f", {lifecycle.state_of(client, node).label}" if words else ""
    print(f"{node}{state}")
    for name, takes in rows.items():
        print(f"  {name} {takes}".rstrip())
    if words:
        print(f"  lifecycle: {', '.join(words)}")
    return 0
