# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a foreign dataset as an RLDS dataset of a robot."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evla_ros.data.episode import EpisodeError
from evla_ros.data.foreign.checks import map_problems, unused
from evla_ros.data.foreign.episodes import EpisodeMaker, Size
from evla_ros.data.foreign.hdf5 import Hdf5Source, hdf5_files
from evla_ros.data.foreign.lerobot import LeRobotSource
from evla_ros.data.foreign.map_file import MapFile, read_map
from evla_ros.data.foreign.proposal import proposed_map
from evla_ros.data.foreign.source import ForeignDataset, ForeignError
from evla_ros.data.foreign.umi import UmiSource, is_umi
from evla_ros.data.lerobot.layout import is_lerobot
from evla_ros.data.lerobot.restore import is_own, restore
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.features import features_for_embodiment, text
from evla_ros.data.rlds.folder import WriteReport
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import action_layout, load_embodiment
from evla_ros.reading.text_files import exists

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Imported:
    """What was written, and what is worth a sentence."""

    report: WriteReport
    notes: list[str]


def open_foreign(path: Path) -> ForeignDataset:
    """Open a dataset of any of the formats that are read.

    Raises:
        ForeignError: There is nothing, or nothing that is known.
    """
    if not exists(path):
        raise ForeignError(f"there is no {path}")
    if is_lerobot(path):
        return LeRobotSource(path)
    if is_umi(path):
        return UmiSource(path)
    if hdf5_files(path):
        return Hdf5Source(path)
    raise ForeignError(
        f"{path} is no dataset that can be imported: it has no meta/info.json (LeRobot), no .hdf5 "
        "or .h5 (ALOHA, robomimic), and its name does not end in .zarr or .zarr.zip (UMI)"
    )


def import_dataset(
    path: Path,
    datasets: Path,
    map_path: Path | None,
    name: str | None,
    version: str | None,
    image_size: Size,
    progress: Progress | None = None,
) -> Imported:
    """Write a foreign dataset as an RLDS dataset.

    Args:
        path: The foreign dataset.
        datasets: The folder that holds datasets.
        map_path: The map file; None: only for what `evla dataset export` has written.
        name: Of the new dataset; None: the robot's (or, of an exported one, as before).
        version: X.Y.Z; None: the next free one.
        image_size: (height, width) of the stored pictures [pixels].
        progress: Told (episodes done, episodes) after each.

    Raises:
        ForeignError: The map file is missing or does not fit; each problem is a line.
        DatasetError: The new dataset cannot be written.
    """
    if map_path is None:
        if is_own(path):
            return _restored(path, datasets, name, version, progress)
        dataset = open_foreign(path)
        raise ForeignError(
            f"{path}: which of its columns are which part of the robot? Give a map file with "
            f"--map; --propose FILE writes one to fill in. It has:\n{describe(dataset)}"
        )
    settings, dataset = read_map(map_path), open_foreign(path)
    robot = map_path.parent / settings.embodiment
    embodiment = load_embodiment(robot if robot.is_file() else settings.embodiment)
    problems = map_problems(settings, dataset, embodiment)
    if problems:
        raise ForeignError("\n".join(f"{map_path}: {problem}" for problem in problems))
    metadata = {"source": text("Where the episode is from.")}
    features = features_for_embodiment(embodiment, image_size, metadata=metadata)
    maker = EpisodeMaker(dataset, settings, embodiment, map_path.parent, image_size)
    writer = DatasetWriter(
        datasets,
        name or embodiment.name,
        features,
        embodiment.text,
        action_layout(embodiment),
        version=version,
        description=f"Imported from {path.name}.",
    )
    notes = _notes(settings, dataset)
    with writer:
        _add_all(writer, maker, dataset, notes, progress)
        writer.cameras = {camera: tuple(sorted(sizes)) for camera, sizes in maker.sizes.items()}
    return Imported(writer.report, notes)


def propose(path: Path, target: Path) -> None:
    """Write a map file to fill in, with every column that there is.

    Raises:
        ForeignError: The file exists, or the dataset cannot be read.
    """
    if target.exists():
        raise ForeignError(f"{target} exists; nothing is ever overwritten")
    proposal = proposed_map(open_foreign(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(proposal, encoding="utf-8")


def describe(dataset: ForeignDataset) -> str:
    """Return a line for each column, camera and unread feature."""
    lines = [f"  column  {column.line()}" for column in dataset.columns.values()]
    lines += [f"  camera  {camera}" for camera in dataset.cameras]
    lines += [f"  unread  {feature}" for feature in dataset.unread]
    return "\n".join(lines)


def _add_all(
    writer: DatasetWriter,
    maker: EpisodeMaker,
    dataset: ForeignDataset,
    notes: list[str],
    progress: Progress | None,
) -> None:
    failed = 0
    for index, foreign in enumerate(dataset.episodes()):
        try:
            writer.add(maker.make(foreign))
        except EpisodeError as error:
            raise DatasetError(f"{dataset.where}, {foreign.name}: {error}") from error
        failed += foreign.success is False
        if progress is not None:
            progress(index + 1, len(dataset))
    if failed:
        notes.append(f"{failed} episodes are failures; they are in a dataset of their own")


def _notes(settings: MapFile, dataset: ForeignDataset) -> list[str]:
    notes = []
    left = unused(settings, dataset)
    if left:
        notes.append(
            f"not taken: {', '.join(left)} (name them under `ignore` in the map file to be quiet)"
        )
    if dataset.unread:
        notes.append(f"not read: {'; '.join(dataset.unread)}")
    if settings.every > 1:
        notes.append(f"every {settings.every}. frame is kept")
    return notes


def _restored(
    path: Path, datasets: Path, name: str | None, version: str | None, progress: Progress | None
) -> Imported:
    datasets.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".import.", dir=datasets) as staging:
        report = restore(path, datasets, Path(staging), name, version, progress)
    return Imported(report, ["written by `evla dataset export`: restored as it was"])
