# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a dataset folder `<root>/<name>/<X.Y.Z>/` at once, from episodes staged in any order.

The bytes depend on the episodes alone, not on their order, the time or the machine. A reader sees
the folder finished or not at all. Failed episodes become the dataset `<name>_failures`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from evla_ros.data.episode import Episode
from evla_ros.data.rlds.dataset_info import check_name
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.features import DatasetFeatures
from evla_ros.data.rlds.folder import FolderExtras, WriteReport, WriteRules, write_folder
from evla_ros.data.rlds.shards import DEFAULT_SHARD_BYTES
from evla_ros.data.rlds.splits import DEFAULT_VAL_FRACTION
from evla_ros.data.rlds.staging import StagedEpisode, stage_episode, stage_payload, staged_episodes
from evla_ros.embodiment import FeatureLayout

FAILURES = "_failures"


@dataclass
class DatasetWriter:
    """Collects episodes and writes the dataset when the `with` block ends without an exception.

    root: the folder that holds datasets; name: lower_snake. staging: a folder of `stage_episode`
    files that survives a killed run and is all written; None for a temporary one. embodiment_text:
    the YAML to put beside. action_layout: gives the normalisation mask (None: False at every
    seventh number). version: None for 1.0.0, or one above the newest when the content differs.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._report = self._write()
        finally:
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def report(self) -> WriteReport:
        """What was written; raises DatasetError before the `with` block has ended."""
        if self._report is None:
            raise DatasetError("the dataset is not written yet; leave the `with` block first")
        return self._report

    def add(self, episode: Episode) -> None:
        """Stage one episode. Raises DatasetError when it does not fit or its id is taken."""
        stage_episode(self._folder(), episode, self.features)

    def add_encoded(self, episode_id: str, payload: bytes) -> None:
        """Stage an episode that is a serialized Example of the same features already."""
        stage_payload(self._folder(), episode_id, [payload])

    def _folder(self) -> Path:
        if self.staging is None:
            raise DatasetError("open the dataset writer with `with` before adding episodes")
        return self.staging

    def _write(self) -> WriteReport:
        episodes = staged_episodes(self._folder(), self.features)
        kept = [episode for episode in episodes if episode.success]
        failed = [episode for episode in episodes if not episode.success]
        if not episodes:
            raise DatasetError(f"no episodes for dataset {self.name!r}; nothing was written")
        failures = self._write_one(self.name + FAILURES, failed) if failed else None
        if not kept and failures is not None:
            return failures
        report = self._write_one(self.name, kept)
        return WriteReport(
            report.path, report.version, report.splits, report.steps, report.unchanged, failures
        )

    def _write_one(self, name: str, episodes: Sequence[StagedEpisode]) -> WriteReport:
        mask = self.action_layout.normalization_mask if self.action_layout is not None else None
        names = self.action_layout.names if self.action_layout is not None else ()
        extras = FolderExtras(self.embodiment_text, mask, names, self.description)
        rules = WriteRules(self.version, self.val_fraction, self.shard_bytes)
        return write_folder(self.root, name, self.features, episodes, extras, rules)
