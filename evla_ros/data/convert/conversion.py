# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A conversion as it is asked for: which bags become which dataset, and how the work is spread."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from evla_ros.data.convert.loss import MAX_LOSS
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.shard import Shard, read_shard
from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.data.convert.report import ConvertReport
    from evla_ros.data.convert.run import Progress


@dataclass(frozen=True)
class Conversion:
    """Which bags become which dataset, and how the work is spread."""

    bags: Annotated[
        tuple[Path, ...],
        Option("bag folders, .mcap or .db3 files, folders of them, or URIs", positional=True),
    ]
    out: Annotated[Path, Option("folder of datasets or its URI, made if need be", "DIR")]
    name: Annotated[
        str | None, Option("dataset name, lower_snake", unset="the embodiment's name")
    ] = None
    embodiment: Annotated[
        str, Option("embodiment file or name", unset="the one inside the first bag")
    ] = ""
    episodes: ConvertOptions = field(default_factory=ConvertOptions)
    jobs: Annotated[int, Option("processes", "N", least=1, unset="all cores")] = os.cpu_count() or 1
    engine: Annotated[Literal["local", "ray"], Option("what spreads the work")] = "local"
    ray_address: Annotated[
        str | None, Option("Ray cluster to join", unset="start one on this machine")
    ] = None
    max_loss: Annotated[
        float,
        Option(
            "share of a bag's ticks, 0 to 1, that may be lost without exit status 1",
            "SHARE",
            least=0,
            most=1,
        ),
    ] = MAX_LOSS
    shard: Annotated[
        Shard | None,
        Option(
            "convert share I (from 0) of N, into a dataset of its own; "
            "`evla dataset merge --as-one` joins them",
            "I/N",
            read=read_shard,
            unset="all bags",
        ),
    ] = None
    add: Annotated[
        bool,
        Option("add bags to the dataset that is there; those that are in it are not read again"),
    ] = False
    keep_staging: Annotated[bool, Option("keep converted episodes for a later run")] = False

    def run(self, progress: Progress | None = None) -> ConvertReport:
        """Convert the bags and write the dataset.

        Args:
            progress: Called with (bags done, bags in all, latest result).

        Returns:
            What became of every bag.

        Raises:
            EvlaError: No embodiment is known, or no bag gave an episode.
        """
        from evla_ros.data.remote.publish import output_folder
        from evla_ros.data.remote.uri import local_path, uri_of

        uri = uri_of(self.out)
        if uri is None:
            return self._run(local_path(self.out), progress)
        with output_folder(uri) as local:
            report = self._run(local, progress)
        return report.moved(str(local), str(uri))

    def _run(self, out: Path, progress: Progress | None) -> ConvertReport:
        from evla_ros.data.convert.bag_places import every_bag
        from evla_ros.data.convert.engines import make_engine
        from evla_ros.data.convert.extras import resolved
        from evla_ros.data.convert.run import convert

        options = replace(self.episodes, embodiment_text=self._embodiment_text())
        bags, name = self.bags, self.name
        if self.shard is not None:
            every = every_bag(self.bags)
            options = resolved(options, every)  # the same columns in every share
            bags = tuple(self.shard.of(every))
            name = self.shard.name_of(self.name or options.embodiment().name)
        if self.add:
            return self._add(out, options, progress)
        return convert(
            bags,
            out,
            options,
            name=name,
            engine=make_engine(self.engine, self.jobs, self.ray_address),
            progress=progress,
            keep_staging=self.keep_staging,
            max_loss=self.max_loss,
        )

    def _add(self, out: Path, options: ConvertOptions, progress: Progress | None) -> ConvertReport:
        from evla_ros.data.convert.add import add
        from evla_ros.data.convert.engines import make_engine
        from evla_ros.data.rlds.reader import RldsDataset

        if self.shard is not None or self.keep_staging:
            raise EvlaError("--add takes neither --shard nor --keep-staging")
        name = self.name or options.embodiment().name
        return add(
            self.bags,
            out,
            options,
            RldsDataset.open(self.out / name),
            engine=make_engine(self.engine, self.jobs, self.ray_address),
            progress=progress,
            max_loss=self.max_loss,
        )

    def _embodiment_text(self) -> str:
        """Return the text of `--embodiment`, else of the first bag that carries one.

        A broken one in a bag is returned too: the conversion says what is wrong with it.
        """
        from evla_ros.data.convert.bag_places import custom_data_of, every_bag
        from evla_ros.embodiment import load_embodiment

        if self.embodiment:
            return load_embodiment(self.embodiment).text
        refused = ""
        for path in every_bag(self.bags):
            try:
                text = custom_data_of(path).get("embodiment")
            except EvlaError as error:
                refused = refused or f" ({error})"
                continue
            if text:
                return text
        raise EvlaError(
            f"no bag carries its embodiment{refused}; name one with --embodiment NAME_OR_FILE"
        )
