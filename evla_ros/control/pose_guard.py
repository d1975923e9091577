# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which measured poses of an arm are believed; nothing follows one that is not.

A pose is believed when the arm can have got there: no further from where the last poses were than
the speed limits allow in the time between, plus a margin. The comparison is with a follower that
goes after the believed poses at no more than these speeds, so that many small steps get no further
than one large one. Anything else is refused, and begins a track of its own. When that track agrees
with itself for `confirm_ns`, and no pose near the old one came meanwhile, the arm is there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from evla_ros.control.guard_words import GuardWords, PoseWords, apart
from evla_ros.control.limits.motion import clip_norm, moved, turn_between
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import Arm
from evla_ros.geometry import Pose

ABSURD_M = 1000.0
Sample = tuple[int, Pose]


@dataclass(frozen=True)
class PoseRules:
    """What a measured pose may do.

    Attributes:
        speed_m_s: The arm's speed limit.
        speed_rad_s: And that of its rotation.
        margin_m: How much further than that a pose may lie; at least what the arm trails its goal.
        margin_rad: The same for its rotation.
        confirm_ns: How long refused poses must agree to be believed.
        max_gap_ns: No longer time between two poses counts as time to move without confirmation.
        max_ahead_ns: A pose stamped further ahead of the node's clock is refused.
    """

    speed_m_s: float
    speed_rad_s: float
    margin_m: float
    margin_rad: float
    confirm_ns: int
    max_gap_ns: int
    max_ahead_ns: int

    @staticmethod
    def of(values: LimitValues, settings: ControlSettings, max_age_s: float) -> PoseRules:
        """Return the rules of an arm whose poses may be `max_age_s` old [s]."""
        return PoseRules(
            values.max_speed_m_s,
            values.max_rotation_rad_s,
            settings.pose_jump_margin_m,
            settings.pose_jump_margin_rad,
            round(settings.pose_confirm_s * 1e9),
            round(max_age_s * 1e9),
            round(settings.max_stamp_skew_s * 1e9),
        )


@dataclass
class _Track:
    """Poses that agree with each other.

    stamp_ns: of the newest; None after a clock jump. since_ns, received_ns: first and last arrival;
    the first is None after a clock jump.
    follower: goes after `pose` at no more than the speed limits. begun_ns: stamp of the first pose,
    of this track or of others elsewhere before it. jumped: the arm cannot have got
    here from the track before. samples: kept until the track is believed.
    """

    pose: Pose
    stamp_ns: int | None
    since_ns: int | None
    received_ns: int
    follower: Pose
    begun_ns: int
    jumped: bool = False
    confirmed: bool = False
    samples: list[Sample] = field(default_factory=list)

    def reach_s(self, stamp_ns: int, most_ns: float) -> float:
        """Return the time that the arm had since the newest pose [s], at most `most_ns`."""
        passed_ns = math.inf if self.stamp_ns is None else stamp_ns - self.stamp_ns
        return min(passed_ns, most_ns) / 1e9

    def near(self, pose: Pose, time_s: float, rules: PoseRules) -> bool:
        """Return whether the arm can have got to the pose in that time."""
        metres, radians = apart(self.follower, pose)
        return (
            metres <= rules.speed_m_s * time_s + rules.margin_m
            and radians <= rules.speed_rad_s * time_s + rules.margin_rad
        )

    def add(self, stamp_ns: int, now_ns: int, pose: Pose, rules: PoseRules) -> None:
        """Take a pose that is near."""
        self._follow(pose, self.reach_s(stamp_ns, rules.max_gap_ns), rules)
        self.pose, self.stamp_ns, self.received_ns = pose, stamp_ns, now_ns
        self.since_ns = now_ns if self.since_ns is None else self.since_ns
        self.confirmed = self.confirmed or now_ns - self.since_ns >= rules.confirm_ns

    def _follow(self, pose: Pose, time_s: float, rules: PoseRules) -> None:
        metres, radians = apart(self.follower, pose)
        most_m, most_rad = rules.speed_m_s * time_s, rules.speed_rad_s * time_s
        if metres <= most_m and radians <= most_rad:
            self.follower = pose
            return
        way = clip_norm(pose.position_m - self.follower.position_m, most_m)
        turn = clip_norm(turn_between(self.follower, pose), most_rad)
        self.follower = moved(self.follower, way, turn, 1.0)


class PoseGuard:
    """The measured poses of one arm, as they arrive."""

    def __init__(self, name: str, rules: PoseRules, words: GuardWords | None = None) -> None:
        """Begin without a pose.

        Args:
            name: The arm's.
            rules: What a pose may do.
            words: How refusals read; None: as those of an arm's pose.
        """
        self.name = name
        self._words = words or PoseWords()
        self.rules = rules
        self._track: _Track | None = None
        self._other: _Track | None = None
        self._refusal: Finding | None = None
        self._refused_ns = 0
        self._jump: Finding | None = None
        self.turns = 0

    @staticmethod
    def of(arm: Arm, settings: ControlSettings) -> PoseGuard:
        """Return the guard of an embodiment's arm."""
        rules = PoseRules.of(LimitValues.of(arm.limits), settings, arm.pose.max_age_s)
        return PoseGuard(arm.name, rules)

    @property
    def subject(self) -> str:
        """What it judges, such as `pose left`."""
        return f"{self._words.what} {self.name}"

    @property
    def believed(self) -> Pose | None:
        """The newest pose that is believed; None before the first."""
        return self._track.pose if self._track is not None else None

    @property
    def confirmed(self) -> bool:
        """Whether poses have agreed for long enough that motion may start from them."""
        if self._track is None:
            return False
        return self._track.confirmed or self.rules.confirm_ns == 0

    def note(self, stamp_ns: int, now_ns: int, pose: Pose) -> list[Sample]:
        """Take a measured pose.

        Args:
            stamp_ns: Its own time on the node's clock.
            now_ns: Its arrival.
            pose: In the base frame.

        Returns:
            What is believed now and was not before: this pose; nothing when it is refused or not
            newer; after a confirmed jump, the poses that confirmed it. `turns` counts these jumps.
        """
        problem = self._absurd(stamp_ns, now_ns, pose)
        if problem is not None:
            self._refuse(problem, now_ns)
            return []
        track = self._track
        if track is None:
            self._track = _Track(pose, stamp_ns, now_ns, now_ns, pose, stamp_ns)
            return [(stamp_ns, pose)]
        if track.stamp_ns is not None and stamp_ns <= track.stamp_ns:
            return []
        if self._other is not None and now_ns - self._other.received_ns > self.rules.max_gap_ns:
            self._other = None
        # While poses elsewhere come in, the time to move does not go on: they would grow likely.
        until_ns = stamp_ns if self._other is None else min(stamp_ns, self._other.begun_ns)
        if track.near(pose, track.reach_s(until_ns, self.rules.max_gap_ns), self.rules):
            track.add(stamp_ns, now_ns, pose, self.rules)
            self._other = None
            return [(stamp_ns, pose)]
        jumped = not track.near(pose, track.reach_s(until_ns, math.inf), self.rules)
        return self._elsewhere(track, stamp_ns, now_ns, pose, jumped=jumped)

    def refusal(self, now_ns: int) -> Finding | None:
        """Return why poses are refused, for as long after the last of them as confirming takes."""
        fresh = now_ns - self._refused_ns <= max(self.rules.confirm_ns, self.rules.max_gap_ns)
        return self._refusal if fresh else None

    def take_jump(self) -> Finding | None:
        """Return a jump that was confirmed since the last call: motion then needs a start."""
        jump, self._jump = self._jump, None
        return jump

    def clock_jumped(self) -> None:
        """Forget every time; where the arm is stays believed until other poses are confirmed."""
        self._other = self._refusal = None
        if self._track is not None:
            self._track.stamp_ns = self._track.since_ns = None

    def _absurd(self, stamp_ns: int, now_ns: int, pose: Pose) -> Finding | None:
        ahead_ns = stamp_ns - now_ns
        if ahead_ns > self.rules.max_ahead_ns:
            text = f"{self.subject}: stamped {ahead_ns / 1e9:.0f} s ahead of the node's clock"
            return Finding(Reason.STAMP_SKEW, text)
        if max(map(abs, pose.position_m.tolist())) > ABSURD_M:
            shown = self._words.place(pose)
            text = f"{self.subject}: {shown} is more than {ABSURD_M:g} m from its base"
            return Finding(Reason.INPUT_INVALID, text)
        return None

    def _elsewhere(
        self, track: _Track, stamp_ns: int, now_ns: int, pose: Pose, *, jumped: bool
    ) -> list[Sample]:
        """Refuse a pose that is not near, or believe it when it was confirmed for long enough."""
        rules, other = self.rules, self._other
        if other is not None and other.stamp_ns is not None and stamp_ns <= other.stamp_ns:
            return []
        most_ns = rules.max_gap_ns
        if other is not None and other.near(pose, other.reach_s(stamp_ns, most_ns), rules):
            other.add(stamp_ns, now_ns, pose, rules)
        else:
            begun_ns = stamp_ns if other is None else other.begun_ns
            other = _Track(pose, stamp_ns, now_ns, now_ns, pose, begun_ns, jumped)
        other.samples.append((stamp_ns, pose))
        found = self._step(track, stamp_ns, pose, jumped=jumped)
        if other.since_ns is None or now_ns - other.since_ns < rules.confirm_ns:
            self._other = other
            self._refuse(found, now_ns)
            return []
        if other.jumped:
            self._jump = self._refusal or found
        self._track, self._other, self._refusal = other, None, None
        other.confirmed = True
        self.turns += 1
        samples, other.samples = other.samples, []
        return samples

    def _refuse(self, found: Finding, now_ns: int) -> None:
        """Remember; of refusals that go on, the first one is shown, so that its text stands."""
        if self.refusal(now_ns) is None or (self._refusal and self._refusal.reason != found.reason):
            self._refusal = found
        self._refused_ns = now_ns

    def _step(self, track: _Track, stamp_ns: int, pose: Pose, *, jumped: bool) -> Finding:
        words = self._words
        passed = "" if track.stamp_ns is None else f" in {(stamp_ns - track.stamp_ns) / 1e9:.3f} s"
        text = (
            f"{self.subject}: {words.way(track.pose, pose)}{passed}, "
            f"from {words.place(track.pose)} to {words.place(pose)}"
        )
        return Finding(Reason.INPUT_INVALID if jumped else Reason.POSE_UNCONFIRMED, text)
