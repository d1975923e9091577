# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that decides the bytes of a converted episode, with a fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from evla_ros.data.convert.extra_columns import ExtraColumn
from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.embodiment import Embodiment

CODE_VERSION = 2  # increase it when the code gives other bytes for the same bag


def parse_size(text: str) -> tuple[int, int]:
    """Return (height, width) [pixels] from `224` or `240x320`.

    Raises:
        EvlaError: The text is something else, or a side is not within 16 to 4096 pixels.
    """
    parts = text.lower().split("x")
    numbers = [int(part) if part.isdigit() else 0 for part in parts]
    if len(numbers) not in (1, 2) or not all(16 <= number <= 4096 for number in numbers):
        raise EvlaError(f"--image-size {text!r}: give a side or HEIGHTxWIDTH, 16 to 4096 pixels")
    return numbers[0], numbers[-1]


@dataclass(frozen=True)
class ConvertOptions:
    """How bags are converted.

    Attributes:
        embodiment_text: The YAML text of the embodiment file; empty until it is read.
        image_size: (height, width) of the stored pictures [pixels].
        time: Align by the header stamps or by the recorder's receive times.
        source: Make actions from `commanded` goals or from `achieved` poses; None takes what the
            embodiment says.
        on_gap: Keep the longest contiguous span, split the bag into several episodes, or reject it.
        idle: Drop all idle steps, only those before and after the motion (`ends`), or none
            (`keep`).
        last_action: Drop the last tick, which no motion follows, or give it a neutral action.
        unlabelled: What an episode without an outcome counts as, or `skip` to leave it out.
        instruction: Replaces the recorded instruction when not empty.
        min_steps: Episodes with fewer steps are dropped.
        allow: Names of the value gates that are not applied.
        extras: The columns of what is recorded beside the inputs; None until bags are looked into.
        hold: Streams, such as `gripper:arm`, whose last value holds until the next, however old.
    """

    embodiment_text: str = ""
    image_size: Annotated[
        tuple[int, int], Option("side, or HEIGHTxWIDTH", "PX", read=parse_size, unset="224")
    ] = (224, 224)
    time: Annotated[Literal["header", "receive"], Option("which stamps rule")] = "header"
    source: Annotated[
        Literal["commanded", "achieved"] | None,
        Option("what an action is", flag="action_source", unset="as the embodiment says"),
    ] = None
    on_gap: Annotated[
        Literal["longest", "split", "reject"], Option("what is kept of a bag with a gap")
    ] = "longest"
    idle: Annotated[Literal["all", "ends", "keep"], Option("idle steps to drop")] = "all"
    last_action: Annotated[
        Literal["drop", "neutral"], Option("of an episode, which nothing follows")
    ] = "drop"
    unlabelled: Annotated[
        Literal["success", "failure", "skip"], Option("what an episode without an outcome is")
    ] = "success"
    instruction: Annotated[
        str, Option("use these words instead of the recorded ones", unset="the recorded ones")
    ] = ""
    min_steps: Annotated[int, Option("drop shorter episodes", "N", least=1)] = 5
    allow: Annotated[tuple[str, ...], Option("value gates not to apply", "GATE", unset="none")] = ()
    hold: Annotated[
        tuple[str, ...],
        Option("hold the last value of a stream published on change", "STREAM", unset="none"),
    ] = ()

    extras: tuple[ExtraColumn, ...] | None = None

    def embodiment(self) -> Embodiment:
        """Parse `embodiment_text`."""
        from evla_ros.embodiment import parse_embodiment

        return parse_embodiment(self.embodiment_text, source="the conversion's embodiment")

    def action_source(self, embodiment: Embodiment) -> str:
        """Return what the actions are made of: `commanded` or `achieved`."""
        return self.source or embodiment.action.source

    def fingerprint(self) -> str:
        """Return 16 hex digits that change when the options or the code would give other bytes."""
        values = asdict(self)
        values["embodiment_text"] = self.embodiment().content_hash
        values["allow"], values["hold"] = sorted(set(self.allow)), sorted(set(self.hold))
        values["code"] = CODE_VERSION
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
