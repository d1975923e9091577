# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sample stream of a run over its training or its held-out sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.processor import Processor
from evla_ros.training.config import TrainConfig
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.samples.batch import Collator
from evla_ros.training.samples.feature_cache import FeatureCache
from evla_ros.training.samples.loader import SampleSettings, SampleStream
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.statistics import statistics_key

if TYPE_CHECKING:
    from evla_ros.training.parts import Parts

_EVALUATION_SEED = 12345


def stream(
    parts: Parts,
    config: TrainConfig,
    sources: Sequence[Source],
    features: FeatureCache | None,
    *,
    train: bool,
) -> SampleStream:
    """Return the sample stream over some of a run's sources.

    Args:
        parts: The opened datasets, and what prepares their samples.
        config: The settings of the run.
        sources: The training or the held-out splits.
        features: Cached image features of the sources, or None to read their pictures.
        train: Whether pictures are augmented and proprioception is dropped, as the settings say.
    """
    settings = SampleSettings(
        parts.model.config.image.cameras,
        parts.model.config.action.chunk,
        config.data.instructions,
        augment=config.data.augment and train,
        black_cameras=config.data.missing_cameras == "black",
        proprio_dropout=config.data.proprio_dropout if train else 0.0,
    )
    shares = [source.weight for source in sources]
    seed = config.seed if train else _EVALUATION_SEED
    return SampleStream(sources, shares, settings, _collator(parts, sources), seed, features)


def run_streams(
    parts: Parts,
    config: TrainConfig,
    model: EvlaModel,
    group: ProcessGroup,
    tell: Callable[[str], None],
) -> tuple[SampleStream, SampleStream | None]:
    """Return the sample streams of a run.

    With `cache_features` every frame is encoded first, by each rank its share.

    Args:
        parts: The opened datasets, and what prepares their samples.
        config: The settings of the run.
        model: The network, whose encoders compute the features.
        group: The ranks; all of them have to call it.
        tell: Is told how far the encoding is.

    Returns:
        The stream to learn from, and that of what is held out, or None when nothing is.
    """
    caches: list[FeatureCache | None] = [None, None]
    if config.cache_features:
        folder = Path(config.features or Path(config.output) / "features")
        processor = parts.processor.image_processor
        for i, sources in enumerate((parts.train, parts.val)):
            if sources:
                model.backbones.to(group.device)  # all of a sharded network is still on the host
                share = (folder, group.rank, group.ranks)
                caches[i] = FeatureCache.fill(model, processor, sources, *share, tell)
        group.barrier()
    train = stream(parts, config, parts.train, caches[0], train=True)
    if not parts.val:
        return train, None
    return train, stream(parts, config, parts.val, caches[1], train=False)


def longest_prompt(processor: Processor, sources: Sequence[Source]) -> int:
    """Return the number of tokens of the longest instruction; prompts are padded to it."""
    instructions = {text for source in sources for text in source.instructions()}
    return max(len(processor.prompt_builder.encode(text)) for text in instructions)


def _collator(parts: Parts, sources: Sequence[Source]) -> Collator:
    config, statistics = parts.model.config, parts.statistics
    method = config.action.normalization
    keys = [statistics_key(statistics, source) for source in sources]
    return Collator(
        parts.processor,
        [statistics.action(key, method) for key in keys],
        [statistics.proprio(key, method) if config.proprio_dim else None for key in keys],
        longest_prompt(parts.processor, sources),
    )
