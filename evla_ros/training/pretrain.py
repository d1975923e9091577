# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Phase 1: next-token loss on pictures and conversations, the decoder strictly causal.

Stage `align` trains the projector alone, `finetune` the projector and the language model. The
encoders learn too when `vision` is asked for (small ones start from nothing).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.model.checkpoint import load_checkpoint, save_checkpoint
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.instruction_corpus import instruction_corpus
from evla_ros.model.model_input import ModelInput
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.prefix import assemble
from evla_ros.model.presets import load_preset
from evla_ros.model.text_tokenizer import train_tokenizer
from evla_ros.training.config import OptimizerSettings
from evla_ros.training.errors import TrainingError
from evla_ros.training.samples.conversations import (
    Conversation,
    encode,
    pad,
    read_conversations,
    read_image,
)
from evla_ros.training.schedule import learning_rate

STAGES = ("align", "finetune")


@dataclass(frozen=True)
class PretrainConfig:
    """data: LLaVA-style JSON files. start: a checkpoint to go on from, else the preset afresh."""

    output: str
    data: tuple[str, ...]
    stage: str = "finetune"
    preset: str = "evla-nano"
    start: str = ""
    images: str = ""
    vision: bool = False
    proprio_dim: int = 0
    longest: int = 128
    seed: int = 0
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)


def pretrain(config: PretrainConfig) -> Path:
    """Train and return the checkpoint folder."""
    target = Path(config.output)
    if target.exists():
        raise TrainingError(f"{str(target)!r} exists; choose another folder")
    images = Path(config.images) if config.images else None
    items = [c for path in config.data for c in read_conversations(Path(path), images)]
    model, tokenizer, statistics = _model(config, items)
    model.train()
    trained = trainable(model, config.stage, vision=config.vision)
    optimizer = torch.optim.AdamW(trained, lr=1.0, weight_decay=config.optimizer.weight_decay)
    log, started = [], time.monotonic()
    for step in range(config.optimizer.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config.optimizer, step)
        rng = np.random.default_rng([config.seed, step])
        chosen = [items[i] for i in rng.integers(len(items), size=config.optimizer.batch)]
        loss, right = next_token_loss(model, tokenizer, chosen, config.longest)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, config.optimizer.clip_norm)
        optimizer.step()
        log.append({"step": step + 1, "loss": float(loss.detach()), "token_accuracy": right})
        if step % 20 == 19 or step + 1 == config.optimizer.steps:
            rate = (step + 1) * config.optimizer.batch / (time.monotonic() - started)
            line = f"step {step + 1}/{config.optimizer.steps}  loss {log[-1]['loss']:.4f}"
            print(f"{line}  tokens {100 * right:.1f} %  {rate:.1f} samples/s", file=sys.stderr)
    save_checkpoint(target, model, tokenizer, statistics)
    (target / "metrics.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in log))
    return target


def next_token_loss(
    model: EvlaModel, tokenizer: Tokenizer, items: Sequence[Conversation], longest: int
) -> tuple[Tensor, float]:
    """Return the mean cross-entropy of the answers' tokens and the fraction predicted exactly."""
    prefix_ids = model.config.prompt.prefix_ids
    ids, lengths, learned = pad([encode(c, tokenizer, prefix_ids, longest) for c in items])
    camera = model.config.image.cameras[0]
    processor = ImageProcessor(model.config.image)
    frames = torch.stack([processor.process(camera, read_image(c.image)) for c in items])
    pictures = frames[:, None].expand(-1, len(model.config.image.cameras), -1, -1, -1)
    proprio = (
        torch.zeros(len(items), model.config.proprio_dim) if model.config.proprio_dim else None
    )
    prefix = assemble(model, ModelInput(ids, lengths, images=pictures, proprio=proprio))
    nothing = prefix.shared.new_zeros(len(items), 1, 0, prefix.shared.shape[-1])
    states = model.run(prefix, nothing, "causal", "causal")
    shared = prefix.shared.shape[1]
    text = states[:, shared - 1 :]  # [B, T, hidden]: the last shared column stands before token 1
    rows = model.config.action.vocabulary_size - model.config.action.bins
    logits = model.language_model.logits(text[:, :-1], 0, rows).float()
    wanted, mask = ids[:, 1:], learned[:, 1:]
    loss = functional.cross_entropy(logits[mask], wanted[mask])
    return loss, float((logits.argmax(-1) == wanted)[mask].float().mean())


def trainable(model: EvlaModel, stage: str, *, vision: bool) -> list[nn.Parameter]:
    """Set who learns in a stage and return those parameters."""
    if stage not in STAGES:
        raise TrainingError(f"unknown stage {stage!r}; stages: {', '.join(STAGES)}")
    parts: list[nn.Module] = [model.projector]
    parts += [model.language_model] if stage == "finetune" else []
    parts += [model.backbones] if vision else []
    model.requires_grad_(requires_grad=False)
    for part in parts:
        part.requires_grad_(requires_grad=True)
    return [p for p in model.parameters() if p.requires_grad]


def _model(
    config: PretrainConfig, items: Sequence[Conversation]
) -> tuple[EvlaModel, Tokenizer, DatasetStatistics]:
    if config.start:
        loaded = load_checkpoint(config.start)
        return loaded.model, loaded.processor.prompt_builder.tokenizer, loaded.statistics
    preset = load_preset(config.preset, proprio_dim=config.proprio_dim)
    torch.manual_seed(config.seed)
    words = {text for item in items for turn in item.turns for text in turn}
    corpus = [*instruction_corpus(preset.prompt.template), *sorted(words)]
    rows = preset.action.vocabulary_size - preset.action.bins
    return EvlaModel(preset), train_tokenizer(corpus, rows), DatasetStatistics({})
