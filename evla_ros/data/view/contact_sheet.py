# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A contact sheet: per episode its instruction, frames of every camera, and the gripper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.episode import Episode
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.view.drawing import (
    ACCENT,
    BACKGROUND,
    FAINT,
    INK,
    RED,
    fit_text,
    font,
    pillow,
    scaled,
    shown_cameras,
)
from evla_ros.errors import EvlaError

FRAMES, FRAME_HEIGHT = 6, 96
MARGIN, LABEL_WIDTH, HEAD, GAP = 20, 120, 48, 4
BLOCK_HEAD, BLOCK_FOOT = 28, 56
MOST_EPISODES, ONE_COLUMN = 12, 3
BLACK = 6.0  # mean of 255


def choose_episodes(dataset: RldsDataset, most: int = MOST_EPISODES) -> list[tuple[str, int]]:
    """Return (split, index) of up to `most` episodes, spread evenly over all splits."""
    everything = [(split, i) for split, count in dataset.splits.items() for i in range(count)]
    if len(everything) <= most:
        return everything
    at = np.linspace(0, len(everything) - 1, most).round().astype(int)
    return [everything[i] for i in at]


def write_contact_sheet(
    dataset: RldsDataset, path: Path, episodes: Sequence[tuple[str, int]] | None = None
) -> int:
    """Draw episodes of a dataset and save them as one PNG.

    Args:
        dataset: The dataset.
        path: The file to write; its folder is made.
        episodes: (split, index) of each; None takes up to twelve spread over all splits.

    Returns:
        How many episodes it shows.

    Raises:
        EvlaError: There are none, or a picture is damaged.
    """
    chosen = list(episodes) if episodes is not None else choose_episodes(dataset)
    if not chosen:
        raise EvlaError(f"dataset {dataset.name!r} has no episodes to draw")
    total = sum(dataset.splits.values())
    title = f"{dataset.name} {dataset.path.name}: {len(chosen)} of {total} episodes"
    episodes_drawn = ((f"{s}/{i}", dataset.episode(s, i)) for s, i in chosen)
    draw_sheet(title, episodes_drawn, path)
    return len(chosen)


def draw_sheet(title: str, episodes: Iterable[tuple[str, Episode]], path: Path) -> None:
    """Draw episodes one below the other, from four on in two columns, and save them as a PNG.

    Args:
        title: The headline.
        episodes: (what to call it, episode) of each.
        path: The file to write; its folder is made.
    """
    blocks = [_block(episode, position) for position, episode in episodes]
    columns = 1 if len(blocks) <= ONE_COLUMN else 2
    pitch = max(block.width for block in blocks) + MARGIN
    rows = [blocks[start : start + columns] for start in range(0, len(blocks), columns)]
    heights = [max(block.height for block in row) for row in rows]
    size = (columns * pitch + MARGIN, HEAD + sum(heights) + MARGIN)
    sheet = pillow().Image.new("RGB", size, BACKGROUND)
    draw = pillow().ImageDraw.Draw(sheet)
    draw.text((MARGIN, 12), title, font=font(20), fill=INK)
    top = HEAD
    for row, height in zip(rows, heights, strict=True):
        for column, block in enumerate(row):
            sheet.paste(block, (MARGIN + column * pitch, top))
        top += height
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, format="PNG")


def _block(episode: Episode, position: str) -> Any:
    """Draw one episode: a headline, one row of frames per camera, the gripper underneath."""
    count = min(FRAMES, len(episode))
    steps = [int(t) for t in np.linspace(0, len(episode) - 1, count).round()]
    rows = {
        key: [scaled(episode.image(key, step), FRAME_HEIGHT) for step in steps]
        for key in shown_cameras(episode)
    }
    black = [key for key, row in rows.items() if np.mean([f.mean() for f in row]) < BLACK]
    if len(black) < len(rows):
        rows = {key: row for key, row in rows.items() if key not in black}
    frame_width = max((f.shape[1] for row in rows.values() for f in row), default=FRAME_HEIGHT)
    pitch = frame_width + GAP
    width, bottom = LABEL_WIDTH + FRAMES * pitch, BLOCK_HEAD + len(rows) * (FRAME_HEIGHT + GAP)
    image = pillow().Image.new("RGB", (width, bottom + BLOCK_FOOT), BACKGROUND)
    draw = pillow().ImageDraw.Draw(image)
    _headline(draw, episode, position, width)
    for row, (key, frames) in enumerate(rows.items()):
        top = BLOCK_HEAD + row * (FRAME_HEIGHT + GAP)
        label = fit_text(draw, key.removeprefix("image_"), font(14), LABEL_WIDTH - 10)
        draw.text((0, top + 4), label, font=font(14), fill=INK)
        for column, frame in enumerate(frames):
            image.paste(pillow().Image.fromarray(frame), (LABEL_WIDTH + column * pitch, top))
    centres = [LABEL_WIDTH + column * pitch + frame_width // 2 for column in range(count)]
    for step, centre in zip(steps, centres, strict=True):
        draw.text((centre, bottom), f"t={step}", font=font(12), fill=FAINT, anchor="ma")
    if 0 < len(black) < len(episode.camera_keys):
        note = "black: " + ", ".join(key.removeprefix("image_") for key in black)
        draw.text((0, bottom), fit_text(draw, note, font(12), LABEL_WIDTH), font=font(12), fill=RED)
    _gripper(draw, episode, (centres[0], centres[-1]), bottom + 18)
    return image


def _headline(draw: Any, episode: Episode, position: str, width: int) -> None:
    name = f"  {episode.episode_id}" if not episode.episode_id.isdigit() else ""
    outcome = "" if episode.success else "  FAILED"
    caption = f"{position}{name}  {len(episode)} steps{outcome}"
    caption = fit_text(draw, caption, font(14), width // 2)
    draw.text((0, 6), caption, font=font(14), fill=FAINT)
    used = int(draw.textlength(caption, font=font(14))) + 16
    text = fit_text(draw, episode.instruction or "(no instruction)", font(15), width - used)
    draw.text((used, 5), text, font=font(15), fill=ACCENT)


def _gripper(draw: Any, episode: Episode, ends: tuple[int, int], top: int) -> None:
    """Draw each gripper command (every seventh number) as a line: up is open."""
    dim = episode.action.shape[1]
    if dim == 0 or dim % 7 or ends[1] <= ends[0]:
        return
    draw.text((0, top + 2), "gripper, up: open", font=font(12), fill=FAINT)
    places = np.linspace(ends[0], ends[1], len(episode))
    for arm in range(dim // 7):
        value = np.clip(episode.action[:, 7 * arm + 6], 0.0, 1.0)
        heights = top + 2 + 14 * (1.0 - value) + 3 * arm
        points = [(float(x), float(y)) for x, y in zip(places, heights, strict=True)]
        draw.line(points, fill=(ACCENT, RED)[arm % 2], width=2)
