# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that decides the bytes of a converted episode; picklable, with a fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from evla_ros.embodiment import Embodiment, parse_embodiment

CODE_VERSION = 1  # raise it when the same bag would give other bytes


@dataclass(frozen=True)
class ConvertOptions:
    """Options of a conversion.

    embodiment_text: the YAML of the robot. image_size: side or (height, width) in pixels.
    time: align by header stamps or by the recorder's receive time. source: deltas of commanded
    goals or achieved poses (None: what the embodiment says). on_gap: keep the longest contiguous
    span, split into several episodes, or reject the bag. idle: drop all idle steps, only those at
    the ends, or keep them. last_action: drop the last tick or give it a neutral action.
    unlabelled: what an episode without an outcome counts as. allow: names of gates not to apply.
    """

    embodiment_text: str
    image_size: tuple[int, int] = (224, 224)
    time: Literal["header", "receive"] = "header"
    source: Literal["commanded", "achieved"] | None = None
    on_gap: Literal["longest", "split", "reject"] = "longest"
    idle: Literal["all", "ends", "keep"] = "all"
    last_action: Literal["drop", "neutral"] = "drop"
    unlabelled: Literal["success", "failure", "skip"] = "success"
    instruction: str = ""
    min_steps: int = 5
    allow: tuple[str, ...] = ()

    def embodiment(self) -> Embodiment:
        """Parse the robot's description."""
        return parse_embodiment(self.embodiment_text, source="the conversion's embodiment")

    def action_source(self, embodiment: Embodiment) -> str:
        """Return `commanded` or `achieved`."""
        return self.source or embodiment.action.source

    def fingerprint(self) -> str:
        """Return 16 hex digits that differ when the options or the code would give other bytes."""
        values = asdict(self)
        values["embodiment_text"] = self.embodiment().content_hash
        values["code"] = CODE_VERSION
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
