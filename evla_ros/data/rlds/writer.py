# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a dataset folder `<root>/<name>/<X.Y.Z>/` from episodes that are staged in any order.

The bytes depend on the episodes alone, not on their order, the time or the machine. A reader sees
the finished folder or none. Failed episodes become the dataset `<name>_failures`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from evla_ros.data.camera_shapes import Shapes
from evla_ros.data.episode import Episode
from evla_ros.data.rlds.dataset_info import check_name
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.features import DatasetFeatures
from evla_ros.data.rlds.folder import FolderExtras, WriteReport, WriteRules, write_folder
from evla_ros.data.rlds.shards import DEFAULT_SHARD_BYTES
from evla_ros.data.rlds.splits import DEFAULT_VAL_FRACTION
from evla_ros.data.rlds.staging import StagedEpisode, stage_episode, staged_episodes
from evla_ros.embodiment import FeatureLayout

FAILURES = "_failures"


@dataclass
class DatasetWriter:
    """Collects episodes; `write`, or the end of a `with` block, makes a dataset of them.

    Attributes:
        root: The folder that holds datasets.
        name: Name of the dataset in lower_snake.
        features: What the episodes hold.
        embodiment_text: The embodiment's YAML, to be stored beside the shards.
        action_layout: Gives the normalisation mask; None excludes every seventh number.
        staging: A folder of `stage_episode` files that survives a killed run and is written in
            full; None takes a temporary one.
        version: The version; None takes 1.0.0, or the next after the newest when the content
            differs.
        val_fraction: Share of the episodes in `val`.
        shard_bytes: A shard is closed when it reaches this size.
        description: For `dataset_info.json`.
        cameras: The sizes in which each camera was recorded, where they are known.
        files: Further files beside the shards, by name.
    """

    root: Path
    name: str
    features: DatasetFeatures
    embodiment_text: str = ""
    action_layout: FeatureLayout | None = None
    staging: Path | None = None
    version: str | None = None
    val_fraction: float = DEFAULT_VAL_FRACTION
    shard_bytes: int = DEFAULT_SHARD_BYTES
    description: str = ""
    cameras: Shapes = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    _report: WriteReport | None = field(default=None, init=False)
    _temporary: Path | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.name.endswith(FAILURES):
            raise DatasetError(
                f"dataset name {self.name!r}: {FAILURES} is kept for failed episodes"
            )

    def __enter__(self) -> DatasetWriter:  # noqa: PYI034 - typing.Self needs Python 3.11
        self.root.mkdir(parents=True, exist_ok=True)
        if self.staging is None:
            prefix = f".{self.name}.staging."
            self._temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=self.root))
            self.staging = self._temporary
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.write()
        finally:
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def report(self) -> WriteReport:
        """What was written.

        Raises:
            DatasetError: Nothing is written yet.
        """
        if self._report is None:
            raise DatasetError(
                "the dataset is not written yet; call `write` or leave the `with` block"
            )
        return self._report

    def add(self, episode: Episode) -> None:
        """Stage one episode.

        Raises:
            DatasetError: It does not fit the features, or its id is taken.
        """
        stage_episode(self._folder(), episode, self.features)

    def _folder(self) -> Path:
        if self.staging is None:
            raise DatasetError("open the dataset writer with `with` before adding episodes")
        return self.staging

    def write(self) -> WriteReport:
        """Write the staged episodes as a dataset.

        Raises:
            DatasetError: Nothing is staged, or the version exists with other content.
        """
        episodes = staged_episodes(self._folder(), self.features)
        kept = [episode for episode in episodes if episode.success]
        failed = [episode for episode in episodes if not episode.success]
        if not episodes:
            raise DatasetError(f"no episodes for dataset {self.name!r}; nothing was written")
        failures = self._write_one(self.name + FAILURES, failed) if failed else None
        if not kept and failures is not None:
            self._report = failures
        else:
            self._report = replace(self._write_one(self.name, kept), failures=failures)
        return self._report

    def _write_one(self, name: str, episodes: Sequence[StagedEpisode]) -> WriteReport:
        layout = self.action_layout
        extras = FolderExtras(
            self.embodiment_text,
            description=self.description,
            cameras=self.cameras,
            files=self.files,
        )
        if layout is not None:
            mask, absolute = layout.normalization_mask, layout.absolute_mask
            extras = replace(extras, mask=mask, action_names=layout.names, absolute=absolute)
        rules = WriteRules(self.version, self.val_fraction, self.shard_bytes)
        return write_folder(self.root, name, self.features, episodes, extras, rules)
