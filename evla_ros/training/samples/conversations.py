# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read LLaVA-style JSON: pictures with questions and answers, what is skipped being counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.reading.limits import CAPTIONS_BYTES
from evla_ros.reading.text_files import is_file, read_json
from evla_ros.training.errors import TrainingDataError

IMAGE_MARK = "<image>"
_ASKS, _SAYS = ("human", "user"), ("gpt", "assistant")
_NAMED = 3  # examples that a sentence names
ODD = "turns without a question or an answer beside them"
EMPTY = "turns with an empty answer"
SILENT = "conversations without a question and an answer"
MISSING = "conversations whose picture does not exist"


@dataclass(frozen=True)
class Conversation:
    """Pictures, in the order in which they are shown, and (question, answer) pairs about them.

    Attributes:
        images: Files of the pictures; none for a conversation without any.
        turns: The questions and answers.
        name: The file and the number of the item, for messages.
    """

    images: tuple[str, ...]
    turns: tuple[tuple[str, str], ...]
    name: str = ""


@dataclass
class Skipped:
    """What was left out while reading: how many of each kind, and the first ones by name."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> None:
        """Count one."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        named = self.examples.setdefault(kind, [])
        if len(named) < _NAMED:
            named.append(name)

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each kind."""
        for kind, count in self.counts.items():
            more = ", ..." if count > _NAMED else ""
            yield f"{count:,} {kind} are left out: {', '.join(self.examples[kind])}{more}"


def read_conversations(
    path: Path, images: Path | None = None, skipped: Skipped | None = None
) -> list[Conversation]:
    """Read a JSON list of conversations.

    Roles may be `human` and `gpt`, or `user` and `assistant`; where a file names none, questions
    and answers take turns. `image` names one picture or a list of them.

    Args:
        path: The file.
        images: Folder of the pictures; None takes the file's folder.
        skipped: Takes what is left out; None leaves out nothing without a trace: it is refused.

    Raises:
        TrainingDataError: The file is no such list, or nothing in it can be learned.
    """
    folder = images or path.parent
    items = read_json(path, TrainingDataError, CAPTIONS_BYTES)
    if not isinstance(items, list) or not items:
        raise TrainingDataError(f"{path}: holds no conversations")
    out = Skipped() if skipped is None else skipped
    before = dict(out.counts)
    found = [
        conversation
        for i, item in enumerate(items)
        if (conversation := _conversation(item, folder, f"{path.name}: item {i}", out))
    ]
    if not found or (skipped is None and out.counts != before):
        why = "; ".join(out.sentences())
        raise TrainingDataError(f"{path}: {'nothing can be learned: ' * (not found)}{why}")
    return found


def _conversation(item: Any, folder: Path, where: str, out: Skipped) -> Conversation | None:
    try:
        turns = [(str(t.get("from", "")).lower(), _text(t["value"])) for t in item["conversations"]]
        named = item.get("image") or ()
        files = [named] if isinstance(named, str) else list(named)
        images = tuple(str(folder / name) for name in files)
    except (KeyError, TypeError, AttributeError) as error:
        raise TrainingDataError(
            f"{where} lacks `conversations`, a list of turns with `from` and `value`, or its "
            "`image` is no file name"
        ) from error
    pairs = tuple(_pairs(turns, where, out))
    if not pairs:
        out.add(SILENT, where)
        return None
    absent = [image for image in images if not is_file(Path(image))]
    if absent:
        out.add(MISSING, f"{where} ({absent[0]})")
        return None
    return Conversation(images, pairs, where)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value.replace(IMAGE_MARK, "").strip()


def _pairs(turns: Sequence[tuple[str, str]], where: str, out: Skipped) -> Iterator[tuple[str, str]]:
    """Yield each question with the answer behind it; what has no partner is counted."""
    asked: str | None = None
    for number, (role, text) in enumerate(turns):
        asks = role in _ASKS or (not role and number % 2 == 0)
        says = role in _SAYS or (not role and number % 2 == 1)
        if asks and asked is not None:
            out.add(ODD, where)
        if says and asked is not None and text:
            yield asked, text
        elif says and asked is not None:
            out.add(EMPTY, where)
        elif not asks:
            out.add(ODD, where)
        asked = text if asks else None
    if asked is not None:
        out.add(ODD, where)


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Return a picture as uint8 [H, W, 3] RGB.

    Raises:
        ImageError: It is damaged.
        OSError: It cannot be read.
    """
    from evla_ros.data.image_jpeg import decode_rgb

    return decode_rgb(path.read_bytes())
