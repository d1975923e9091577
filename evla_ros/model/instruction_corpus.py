# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sentences of a small manipulation grammar, to train the tokenizer of a small model on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from evla_ros.model.config import PUBLISHED_TEMPLATE

COLOURS = (
    "red", "green", "blue", "yellow", "orange", "purple", "pink", "white", "black", "grey",
    "brown", "cyan",
)  # fmt: skip
OBJECTS = (
    "block", "cube", "ball", "cylinder", "bowl", "plate", "cup", "mug", "can", "box", "bottle",
    "drawer", "door", "lid", "basket", "tray", "towel", "spoon", "button", "handle", "peg",
)  # fmt: skip
PLACES = (
    "table", "shelf", "bin", "left", "right", "middle", "front", "back", "top", "bottom",
    "corner", "edge", "target", "marker",
)  # fmt: skip
ACTIONS = (
    "reach", "push", "lift", "pick up", "grasp", "move", "touch", "open", "close", "turn",
    "hand over", "press", "pull", "slide", "rotate",
)  # fmt: skip
HANDS = ("left hand", "right hand", "left arm", "right arm", "both hands")


def instruction_corpus(template: str = PUBLISHED_TEMPLATE) -> Iterator[str]:
    """Yield prompts of every verb, colour, object and place.

    Args:
        template: the prompt around an instruction, with `{instruction}` in it.
    """
    for instruction in _instructions():
        yield template.format(instruction=instruction)


def _instructions() -> Iterator[str]:
    for verb, colour, thing in product(ACTIONS, COLOURS, OBJECTS):
        yield f"{verb} the {colour} {thing}"
    for verb, thing, place in product(("put", "place", "push", "move", "slide"), OBJECTS, PLACES):
        yield f"{verb} the {thing} to the {place}"
        yield f"{verb} the {thing} on the {place}"
    for one, other, thing in product(COLOURS, COLOURS, OBJECTS):
        if one != other:
            yield f"stack the {one} {thing} on the {other} {thing}"
            yield f"put the {one} {thing} in the {other} bowl"
            yield f"put the {one} {thing} next to the {other} {thing}"
    for colour, thing, hand in product(COLOURS, OBJECTS, HANDS):
        yield f"lift the {colour} {thing} with the {hand}"
        yield f"hand over the {colour} {thing} from the {hand}"
