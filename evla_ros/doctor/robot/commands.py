# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether commands arrive: who takes them, of what type and quality, and who else sends them."""

from __future__ import annotations

from collections.abc import Iterator

from evla_ros.data.survey.topic import Endpoint
from evla_ros.doctor.robot.looked_at import LookedAt, Problem
from evla_ros.embodiment.streams import Kind, Role
from evla_ros.errors import nearest

_OURS = ("policy", "teleop")
_LISTENERS = ("recorder", "rosbag2_recorder")  # they take commands and obey none


def commands(looked: LookedAt) -> Iterator[Problem]:
    """Yield what is wrong with where a command goes."""
    if _is_action(looked):
        yield from _of_action(looked)
    elif looked.survey.live:
        yield from _of_graph(looked)
    else:
        yield from _of_bag(looked)


def summary(looked: LookedAt) -> str:
    """Return in a few words who takes a command."""
    if _is_action(looked):
        return f"{looked.topic}: served"
    if looked.seen is None or not looked.survey.live:
        return f"{looked.topic}: in the bag"
    return f"{looked.topic}: taken by {', '.join(end.node for end in _obeying(looked))}"


def _is_action(looked: LookedAt) -> bool:
    return "/action/" in looked.stream.type


def _of_action(looked: LookedAt) -> Iterator[Problem]:
    """A goal that is sent as an action: no bag says who serves it."""
    served, wanted = looked.survey.actions.get(looked.topic), looked.stream.type
    if not looked.survey.live or served == wanted:
        return
    near = nearest(looked.topic, looked.survey.actions) if looked.survey.actions else ""
    fix = f"start the driver that serves it, or correct the name{f' ({near})' if near else ''}"
    told = "nobody serves it" if served is None else f"served as {served}, we send {wanted}"
    yield Problem(f"{looked.topic}: {told}", fix)


def _of_graph(looked: LookedAt) -> Iterator[Problem]:
    obeying = _obeying(looked)
    if not obeying:
        yield _unheard(looked)
        return
    wrong = [end for end in obeying if end.type != looked.stream.type]
    for end in wrong:
        fix = f"we send {looked.stream.type}: correct the type in the file, or the controller"
        yield Problem(f"{looked.topic}: {end.node} takes {end.type}", fix)
    offer = looked.stream.delivery
    for end in (one for one in obeying if one not in wrong):
        if end.latched and not offer.latched:
            what = f"{looked.topic}: {end.node} asks for transient local, and gets nothing"
            yield Problem(
                what, "let it subscribe as volatile: commands are not kept for late joiners"
            )
        elif end.reliable and not offer.reliable:
            what = f"{looked.topic}: {end.node} asks for reliable, and gets nothing"
            yield Problem(what, "let it subscribe as best effort")
    rivals = [end.node for end in _publishers(looked) if _short(end.node) not in _OURS]
    if rivals:
        what = f"{looked.topic}: {' and '.join(sorted(set(rivals)))} sends commands too"
        yield Problem(what, "stop it, or give it a topic of its own (a base: twist_mux)")


def _of_bag(looked: LookedAt) -> Iterator[Problem]:
    if looked.seen is not None and looked.seen.count:
        if looked.seen.type != looked.stream.type:
            what = f"{looked.topic}: recorded as {looked.seen.type}"
            yield Problem(what, f"it must be {looked.stream.type}: correct its type in the file")
        return
    commanded = looked.embodiment.action.source == "commanded"
    what = f"{looked.topic}: not in the bag"
    if looked.stream.role is Role.GOAL and commanded:
        fix = "record it, or write action.source: achieved (actions from measured poses)"
        yield Problem(what, fix)
    else:
        yield Problem(what, "record it where something commands it", "note")


def _unheard(looked: LookedAt) -> Problem:
    survey, stream = looked.survey, looked.stream
    alike = [
        name
        for name, topic in survey.topics.items()
        if topic.type == stream.type and topic.subscribers
    ]
    near = f"; {nearest(looked.topic, alike)}" if alike else ""
    fix = f"start the controller that takes it, or correct the topic in the file{near}"
    if stream.key.kind is Kind.GOAL:
        fix += " (docs/robots: what each controller listens to)"
    listeners = ", ".join(end.node for end in (looked.seen.subscribers if looked.seen else []))
    only = f" but {listeners}, which obeys nothing" if listeners else ""
    return Problem(f"{looked.topic}: nobody subscribes to it{only}", fix)


def _obeying(looked: LookedAt) -> list[Endpoint]:
    ends = looked.seen.subscribers if looked.seen is not None else []
    return [end for end in ends if _short(end.node) not in _LISTENERS]


def _publishers(looked: LookedAt) -> list[Endpoint]:
    return looked.seen.publishers if looked.seen is not None else []


def _short(node: str) -> str:
    return node.rsplit("/", 1)[-1]
