# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One image is followed through the policy node, from its subscription to the goal it becomes."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.data.messages import header_stamp_ns

pytestmark = pytest.mark.timeout(60)

FIRST, TAKEN, ACCEPTED = "CameraInput._receive", "SharedCore.next_observation", "SharedCore.accept"
TICKED, LAST = "SharedCore.tick", "_ArmOutput.publish"


class Trail:
    """A profiler of all threads that names the functions of evla_ros.ros that one image passes.

    Such a function is on the stack while the image's stamp, or the image, observation or chunk
    that has it, is handed over as an argument or as a result; or, once the chunk is accepted, while
    the tick is returned or its goal published.
    """

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.done = threading.Event()
        self._stamp_ns: int | None = None
        self._taken = self._accepted = False
        self._lock = threading.Lock()

    def __call__(self, frame, event, value) -> None:
        if event in ("call", "return") and not self.done.is_set() and ours(frame):
            with self._lock:
                self._look(frame, event, name_of(frame), value)

    def _look(self, frame, event, name, value) -> None:
        if self._accepted:
            if (event, name) in (("return", TICKED), ("call", LAST)):
                self._note(frame)
            if (event, name) == ("call", LAST):
                self.done.set()
            return
        if (event, name) == ("call", FIRST) and not self._taken:
            self._stamp_ns, self.functions = header_stamp_ns(frame.f_locals["data"]), []
            self._note(frame)
        handed = [value] if event == "return" else arguments(frame)
        if any(self._has_stamp(thing) for thing in handed):
            self._note(frame)
            self._taken = self._taken or (event, name) == ("return", TAKEN)
        if (event, name) == ("return", ACCEPTED):
            self._accepted = any(self._has_stamp(thing) for thing in arguments(frame))

    def _has_stamp(self, thing) -> bool:
        thing = getattr(thing, "observation", thing)
        for name in ("stamp_ns", "observation_stamp_ns"):
            thing = getattr(thing, name, thing)
        return isinstance(thing, int) and thing == self._stamp_ns

    def _note(self, frame) -> None:
        stack = []
        while frame is not None:
            if ours(frame):
                stack.append(name_of(frame))
            frame = frame.f_back
        self.functions += [name for name in reversed(stack) if name not in self.functions]


def ours(frame) -> bool:
    """Return whether it is a function of ours; newer Pythons have no frames of comprehensions."""
    module, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
    return module.startswith("evla_ros.ros.") and not function.endswith("comp>")


def name_of(frame) -> str:
    owner = frame.f_locals.get("self")
    function = frame.f_code.co_name
    return function if owner is None else f"{type(owner).__name__}.{function}"


def arguments(frame) -> list:
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return [frame.f_locals[name] for name in names if name in frame.f_locals]


def test_an_image_passes_at_most_ten_functions_on_its_way_to_a_goal(live_policy) -> None:
    trail = Trail()
    threading.setprofile(trail)
    try:
        node = live_policy(replan_time_left_s=10.0)
        end_s = time.monotonic() + 40.0
        while not trail.done.wait(1.0):  # a busy machine's late poses stop the motion
            assert time.monotonic() < end_s, trail.functions
            node._session.start_motion()
    finally:
        threading.setprofile(None)
    passed = trail.functions
    between = passed[passed.index(FIRST) + 1 : passed.index(LAST)]
    print(*passed, sep="\n")
    assert {TAKEN, ACCEPTED, TICKED} <= set(between)
    assert len(between) <= 10, between
