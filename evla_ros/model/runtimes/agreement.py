# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How near an exported network's answers are to torch's, and whether that is near enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.config import EvlaConfig, HeadName
from evla_ros.model.runtimes.graphs import decoder_outputs

FP32_DIFFERENCE = 1e-4  # of normalised numbers, and of logits by their largest
WITHIN_ONE_BIN_PERCENT = 99.0
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """Two forms of a network on the same frames.

    Attributes:
        largest_difference: of the continuous head's normalised numbers, and of the logits divided
            by the largest of them.
        within_one_bin: percent of the action tokens of each head.
        output: the head that the checkpoint answers with.
        frames: how many.
    """

    largest_difference: float
    within_one_bin: dict[HeadName, float]
    output: HeadName
    frames: int

    def text(self) -> str:
        """Return it as a sentence."""
        shares = [
            f"{share:.2f} %{' (which answers)' if head == self.output else ''} of head {head}"
            for head, share in self.within_one_bin.items()
        ]
        return (
            f"largest difference {self.largest_difference:.1e}, action tokens within one bin "
            f"{', '.join(shares)}, on {self.frames} frames"
        )

    def near_enough(self, dtype: str) -> bool:
        """Return whether a form in a number format may be used: the head that answers decides."""
        if dtype == "fp32":
            return self.largest_difference <= FP32_DIFFERENCE
        return self.within_one_bin[self.output] >= WITHIN_ONE_BIN_PERCENT


def agreement(config: EvlaConfig, exact: Sequence[Floats], exported: Sequence[Floats]) -> Agreement:
    """Compare what the decoder's outputs are in two forms.

    Args:
        config: of the network.
        exact: the answers of torch, [frames, 1, ...] for each of `decoder_outputs`.
        exported: those of the other form.
    """
    tokenizer = ActionTokenizer(config.action.vocabulary_size, config.action.bins)
    difference = 0.0
    near: dict[HeadName, float] = {}
    for name, ours, theirs in zip(decoder_outputs(config), exact, exported, strict=True):
        away = float(np.abs(ours - theirs).max())
        head: HeadName = "l1"
        if name == "logits":
            head = "tokens"
            away /= float(np.abs(ours).max()) or 1.0
            bins = [rows.argmax(-1).clip(1) for rows in (ours, theirs)]
        else:
            bins = [tokenizer.encode(values) for values in (ours, theirs)]
        away = away if np.isfinite(theirs).all() else float("inf")
        difference = max(difference, away)
        near[head] = 100 * float((np.abs(bins[0] - bins[1]) <= 1).mean())
    return Agreement(difference, near, config.action.output, len(exact[0]))
