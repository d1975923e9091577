# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sizes in which cameras were recorded: kept beside datasets and checkpoints.

Pictures are stored and seen at one size, whatever the camera's: of a camera of another aspect ratio
everything looks stretched, and nothing else would say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from evla_ros.errors import EvlaError
from evla_ros.reading.text_files import read_json_object

CAMERAS_FILE = "cameras.json"
SAME = 0.02  # aspect ratios that differ by less are one

Size = tuple[int, int]  # height, width [pixels]
Shapes = Mapping[str, tuple[Size, ...]]  # by camera, every size in which it was recorded


class CameraShapeError(EvlaError):
    """A camera whose pictures have another aspect ratio than those before."""


def read_shapes(folder: Path) -> dict[str, tuple[Size, ...]]:
    """Return the sizes that a dataset or a checkpoint keeps; empty where it keeps none.

    Raises:
        CameraShapeError: The file cannot be read.
    """
    path = folder / CAMERAS_FILE
    if not path.is_file():
        return {}
    content = read_json_object(path, CameraShapeError)
    try:
        return {
            str(name): tuple((int(height), int(width)) for height, width in sizes)
            for name, sizes in content.items()
        }
    except (TypeError, ValueError) as error:
        raise CameraShapeError(
            f"{path} does not hold a list of [height, width] for each camera"
        ) from error


def shapes_text(shapes: Shapes) -> str:
    """Return the content of the file."""
    plain = {name: [list(size) for size in sorted(set(sizes))] for name, sizes in shapes.items()}
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def joined(every: Iterable[Shapes]) -> dict[str, tuple[Size, ...]]:
    """Return all sizes of each camera."""
    sizes: dict[str, set[Size]] = {}
    for shapes in every:
        for name, found in shapes.items():
            sizes.setdefault(name, set()).update(found)
    return {name: tuple(sorted(found)) for name, found in sorted(sizes.items())}


def other_aspects(ours: Shapes, theirs: Shapes, here: str, there: str) -> list[str]:
    """Return a sentence for each camera whose aspect ratio in `ours` is none of those in `theirs`.

    Args:
        ours: Sizes to judge.
        theirs: Sizes to compare with.
        here: Where `ours` is, in words.
        there: Where `theirs` is, in words.
    """
    found = []
    for name in sorted(ours.keys() & theirs.keys()):
        odd = [size for size in ours[name] if not _fits(size, theirs[name])]
        if odd and theirs[name]:
            found.append(
                f"camera {name} is {_shown(odd[0])} in {here} and {_shown(theirs[name][0])} in "
                f"{there}"
            )
    return found


def _fits(size: Size, others: Iterable[Size]) -> bool:
    aspect = size[1] / size[0]
    return any(abs(aspect / (width / height) - 1.0) <= SAME for height, width in others)


def _shown(size: Size) -> str:
    height, width = size
    return f"{width}x{height} ({width / height:.2f}:1)"
