# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Questions and captions about simulated scenes, as LLaVA-style JSON: what is there, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.recipes.simulated_data.objects import object_positions, place_in_picture
from evla_ros.sim.world import World
from evla_ros.training.errors import TrainingError

QUESTIONS = 4


def write_captions(world: World, folder: Path, scenes: int, seed: int = 0) -> Path:
    """Write pictures of random scenes and `captions.json` with questions about them.

    Args:
        world: the simulated world; each scene resets it.
        folder: a new folder.
        scenes: how many scenes.
        seed: seed of the first scene.

    Returns:
        The path of `captions.json`.

    Raises:
        TrainingError: the folder exists.
    """
    if folder.exists():
        raise TrainingError(f"{str(folder)!r} exists; choose another folder")
    folder.mkdir(parents=True)
    items: list[dict[str, Any]] = []
    for number in range(scenes):
        world.reset(seed + number)
        rng = np.random.default_rng([seed + number, 5])
        name = f"scene-{number:06d}.jpg"
        (folder / name).write_bytes(encode_jpeg(world.images(["primary"])["primary"]))
        turns = [turn for pair in conversation(world, rng) for turn in pair]
        items.append({"id": f"{number}", "image": name, "conversations": turns})
    path = folder / "captions.json"
    path.write_text(json.dumps(items, indent=1) + "\n")
    return path


def conversation(
    world: World, rng: np.random.Generator
) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Return (question, answer) turns about the present scene; the first has the `<image>` mark."""
    places = {
        name: place_in_picture(world, "primary", position_m)
        for name, position_m in object_positions(world).items()
    }
    seen = {name: place for name, place in places.items() if place is not None}
    names = sorted(seen)
    there = ", ".join(f"a {name}" for name in names if name in world.scene.names)
    asked = [str(name) for name in rng.permutation(names)[:QUESTIONS]]
    pairs = [("what is on the table?", there)]
    pairs += [(f"where is the {name}?", place_words(seen[name])) for name in asked]
    one, other = (str(n) for n in rng.permutation(names)[:2])
    side = "left" if seen[one][0] < seen[other][0] else "right"
    pairs.append((f"is the {one} left or right of the {other}?", side))
    turns = [({"from": "human", "value": a}, {"from": "gpt", "value": say}) for a, say in pairs]
    turns[0][0]["value"] = "<image>\n" + turns[0][0]["value"]
    return turns


def place_words(right_down: np.ndarray) -> str:
    """Return a place [2] (right, down in 0..1) in words, on a grid of 8 by 8: `column 3 row 5`."""
    column, row = (np.clip(right_down, 0.0, 0.999) * 8).astype(int)
    return f"column {column} row {row}"
