# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a configuration to what a run needs: sources, statistics, model, tokenizer, streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from evla_ros.embodiment import (
    Embodiment,
    action_layout,
    load_embodiment,
    parse_embodiment,
    proprio_columns_of_arms,
)
from evla_ros.model.checkpoint import load_checkpoint, read_safetensors
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.instruction_corpus import instruction_corpus
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.presets import load_preset
from evla_ros.model.processor import Processor
from evla_ros.model.text_tokenizer import train_tokenizer
from evla_ros.training.config import TrainConfig
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.model_changes.transplant import adapted_config, transplant
from evla_ros.training.samples.batch import Collator
from evla_ros.training.samples.feature_cache import FeatureCache
from evla_ros.training.samples.loader import SampleSettings, SampleStream
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.statistics import choose_statistics, statistics_key


@dataclass(frozen=True, eq=False)
class Parts:
    """What a run is made of; `action_names` label the numbers of an action."""

    model: EvlaModel
    tokenizer: Tokenizer
    processor: Processor
    statistics: DatasetStatistics
    embodiment_text: str | None
    action_names: tuple[str, ...]
    train: tuple[Source, ...]
    val: tuple[Source, ...]


def build(config: TrainConfig) -> Parts:
    """Open and check the data, then build the model for it; raises before the first step."""
    train = tuple(Source(d.path, d.split, d.transform) for d in config.datasets)
    val = tuple(
        Source(d.path, d.val_split, d.transform)
        for d, source in zip(config.datasets, train, strict=True)
        if source.dataset.splits.get(d.val_split)
    )
    names = [source.name for source in train]
    if len(set(names)) != len(names):
        raise TrainingDataError(f"two datasets are both called {names[0]!r}; merge or rename them")
    embodiment = _embodiment(config, train)
    first = train[0].episode(0)
    dim = first.action.shape[1]
    proprio_dim = (
        first.proprio.shape[1] if config.model.proprio and first.proprio is not None else 0
    )
    model, tokenizer = _model(config, train, dim, proprio_dim, embodiment)
    cameras = model.config.image.cameras
    for source in (*train, *val):
        source.check(dim, model.config.proprio_dim, cameras)
    statistics = choose_statistics(train, config.statistics)
    names_of = action_layout(embodiment).names if embodiment else tuple(f"a{i}" for i in range(dim))
    return Parts(
        model,
        tokenizer,
        Processor(model.config, tokenizer),
        statistics,
        embodiment.text if embodiment else None,
        names_of,
        train,
        val,
    )


def stream(
    parts: Parts,
    config: TrainConfig,
    sources: Sequence[Source],
    features: FeatureCache | None,
    *,
    train: bool,
) -> SampleStream:
    """Return the sample stream over training or validation sources."""
    action = parts.model.config.action
    settings = SampleSettings(
        parts.model.config.image.cameras,
        action.chunk,
        config.data.instructions,
        augment=config.data.augment and train,
        proprio_dropout=config.data.proprio_dropout if train else 0.0,
    )
    weights = {
        source.name: d.weight for source, d in zip(parts.train, config.datasets, strict=True)
    }
    has_proprio = parts.model.config.proprio_dim > 0
    keys = [statistics_key(parts.statistics, source.name) for source in sources]
    collate = Collator(
        parts.processor,
        [parts.statistics.action(key, action.normalization) for key in keys],
        [
            parts.statistics.proprio(key, action.normalization) if has_proprio else None
            for key in keys
        ],
        longest_prompt(parts.processor, sources),
    )
    seed = config.seed if train else 12345
    return SampleStream(
        sources, [weights[s.name] for s in sources], settings, collate, seed, features
    )


def longest_prompt(processor: Processor, sources: Sequence[Source]) -> int:
    """Return a padded text length that fits every instruction of the sources."""
    words = {str(text) for source in sources for text in _instructions(source)}
    return max(len(processor.prompt_builder.encode(text)) for text in words if text.strip())


def _instructions(source: Source) -> set[str]:
    found: set[str] = set()
    for index in range(source.episode_count):
        episode = source.episode(index).episode
        found.add(str(episode.instruction))
        for name, column in episode.columns.items():
            if name.startswith("relabel_instruction_"):
                found.update(str(text) for text in set(column))
    return found


def _embodiment(config: TrainConfig, train: Sequence[Source]) -> Embodiment | None:
    if config.embodiment:
        return load_embodiment(config.embodiment)
    text = train[0].dataset.embodiment_text
    return parse_embodiment(text, source=f"{train[0].name}: embodiment.yaml") if text else None


def _model(
    config: TrainConfig,
    train: Sequence[Source],
    dim: int,
    proprio_dim: int,
    embodiment: Embodiment | None,
) -> tuple[EvlaModel, Tokenizer]:
    settings = config.model
    arm_columns = _arm_columns(embodiment, proprio_dim)
    chunk = settings.chunk or (embodiment.action.chunk if embodiment else None)
    if settings.start:
        torch.manual_seed(config.seed)
        loaded = load_checkpoint(settings.start)
        old = loaded.config
        new = adapted_config(
            old,
            chunk=chunk or old.action.chunk,
            dim=dim,
            cameras=settings.cameras or old.image.cameras,
            proprio_dim=proprio_dim,
            arm_columns=arm_columns,
        )
        model = transplant(loaded.model, new, settings.attention)
        _load_vision(model, settings.vision)
        return model, loaded.processor.prompt_builder.tokenizer
    preset = load_preset(
        settings.preset,
        chunk=chunk,
        dim=dim,
        cameras=settings.cameras or None,
        proprio_dim=proprio_dim,
        arm_columns=arm_columns,
        action=settings.action or None,
    )
    torch.manual_seed(config.seed)
    model = EvlaModel(preset, attention=settings.attention)
    _load_vision(model, settings.vision)
    words = sorted({text for source in train for text in _instructions(source) if text.strip()})
    text_rows = preset.action.vocabulary_size - preset.action.bins
    corpus = [
        *instruction_corpus(preset.prompt.template),
        *(preset.prompt.template.format(instruction=w) for w in words),
    ]
    return model, train_tokenizer(corpus, text_rows)


def _arm_columns(embodiment: Embodiment | None, proprio_dim: int) -> tuple[tuple[int, ...], ...]:
    """Return which numbers of the proprio vector belong to which of several like arms."""
    if embodiment is None or len(embodiment.arms) == 1:
        return ()
    columns = proprio_columns_of_arms(embodiment)
    if proprio_dim == 0:
        return tuple(() for _ in columns)
    alike = len({len(part) for part in columns}) == 1
    return columns if alike and sum(map(len, columns)) == proprio_dim else ()


def _load_vision(model: EvlaModel, file: str) -> None:
    if file:
        model.backbones.load_state_dict(read_safetensors(Path(file)))
