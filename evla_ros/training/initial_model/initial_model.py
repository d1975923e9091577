# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network before its first step, with what is known about its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

from evla_ros.model.evla_model import EvlaModel

# What a process holds of a network before its first step: weights of its own; the tensors of a
# checkpoint as they lie in its file, to be read part by part; or shapes alone, the weights being
# sent by the main rank.
Held = Literal["whole", "mapped", "shapes"]


@dataclass(frozen=True, eq=False)
class InitialModel:
    """The network that a run begins with.

    Attributes:
        model: The network.
        tokenizer: Its text tokenizer.
        origin: Where its weights come from, in words; what is random is said in capitals.
        notes: Sentences on what the settings of the run change about a checkpoint.
        fresh: Parts with random weights in a network that is not random as a whole.
    """

    model: EvlaModel
    tokenizer: Tokenizer
    origin: str
    notes: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
