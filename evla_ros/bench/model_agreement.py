# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far int8 moves the actions of a trained checkpoint, in bins, on frames of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evla_ros.bench.model_goals import INT8_AGREEMENT_PERCENT
from evla_ros.bench.model_options import Agreement
from evla_ros.bench.report import Row
from evla_ros.errors import EvlaError
from evla_ros.model.config import HeadName
from evla_ros.model.decode import decode
from evla_ros.model.model_input import ModelInput

if TYPE_CHECKING:
    from evla_ros.model.predictor import Predictor
    from evla_ros.training.samples.source import Source


def rows(options: Agreement, device: str) -> Iterator[Row]:
    """Yield a row per head: how many percent of the action tokens differ by at most one bin."""
    from evla_ros.training.evaluation.offline_eval import load_predictor
    from evla_ros.training.samples.source import Source

    if not (options.checkpoint and options.dataset):
        raise EvlaError("the int8 comparison needs both --checkpoint and --dataset")
    source = Source(options.dataset, options.split)
    exact, int8 = (
        load_predictor(options.checkpoint, source.name, None, device, dtype)
        for dtype in ("fp32", "int8")
    )
    batches = list(observations(exact, source, options.frames))
    joint = exact.config.action.decode == "joint"
    heads: tuple[HeadName, ...] = exact.config.action.heads if joint else ("tokens",)
    for head in heads:
        apart = np.concatenate([_bins_apart(exact, int8, batch, head) for batch in batches])
        context = {
            "preset": exact.config.name, "head": head, "split": options.split,
            "frames": len(batches), "numbers": apart.size,
            "equal": round(100 * float((apart == 0).mean()), 2), "farthest_bins": int(apart.max()),
        }  # fmt: skip
        near = 100 * float((apart <= 1).mean())
        yield Row("model.int8_token_agreement", near, "%", None, INT8_AGREEMENT_PERCENT, context)


def observations(predictor: Predictor, source: Source, frames: int) -> Iterator[ModelInput]:
    """Yield `frames` frames, evenly spread over the split, as inputs of the network."""
    config = predictor.config
    source.check(predictor.action_dim, config.proprio_dim, config.image.cameras)
    for number in np.unique(np.linspace(0, len(source) - 1, min(frames, len(source))).astype(int)):
        index, step = source.locate(int(number))
        episode = source.episode(index)
        images = {c: episode.episode.image(episode.cameras[c], step) for c in config.image.cameras}
        proprio = None if episode.proprio is None else episode.proprio[step]
        instruction = str(episode.episode.instructions[step])
        normalizer = predictor.proprio_normalizer
        batch = predictor.processor(images, instruction, proprio, normalizer)
        yield batch.to(predictor.device)


def _bins_apart(
    exact: Predictor, int8: Predictor, batch: ModelInput, head: HeadName
) -> NDArray[np.int64]:
    tokenizer = exact.model.action_tokenizer
    tokens = [
        tokenizer.encode(decode(predictor.model, batch, output=head).cpu().numpy())
        for predictor in (exact, int8)
    ]
    return np.abs(tokens[0] - tokens[1]).flatten()
