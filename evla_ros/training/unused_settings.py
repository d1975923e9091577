# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find settings that would have no effect in a run, before it begins.

A setting counts as given when it differs from its default.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from evla_ros.model.attention_mask import ONE_INSTRUCTION
from evla_ros.model.config import ActionConfig, EvlaConfig
from evla_ros.settings_errors import Problem
from evla_ros.training.config import TrainConfig
from evla_ros.training.run_settings import RunSettings
from evla_ros.training.samples.source import Source


def unused_settings(config: TrainConfig) -> Iterator[Problem]:
    """Yield the settings that the configuration alone shows to be unused or contradictory."""
    yield from _of_model(config)
    yield from _of_trained_parts(config)
    yield from _of_cache(config)
    yield from _of_datasets(config)
    if config.loss.grounding and config.data.augment:
        yield _no("loss", "grounding", text="needs data.augment: false (a crop moves the things)")
    if not config.loss.grounding and _given(config.loss, "grounding_layer"):
        yield _no("loss", "grounding_layer", text="no effect while loss.grounding is 0")
    if config.data.proprio_dropout and not config.model.proprio:
        yield _no("data", "proprio_dropout", text="no effect while model.proprio is false")


def unused_steps(config: RunSettings) -> Iterator[Problem]:
    """Yield the settings of the optimiser's steps that others replace."""
    settings = config.optimizer
    if settings.epochs and _given(settings, "steps"):
        text = f"{settings.steps} has no effect beside optimizer.epochs; leave one of them out"
        yield _no("optimizer", "steps", text=text)
    if settings.warmup_share and _given(settings, "warmup_steps"):
        text = f"{settings.warmup_steps} has no effect beside optimizer.warmup_share; leave one out"
        yield _no("optimizer", "warmup_steps", text=text)


def unused_with_network(config: TrainConfig, model: EvlaConfig) -> Iterator[Problem]:
    """Yield the settings that have no effect with the network that was built."""
    yield from _of_losses(config, model.action)
    loss, action, layers = config.loss, model.action, model.language_model.layers
    if loss.steps and action.mask != "isolated":
        text = (
            f"needs model.action.mask: isolated (slots must not see each other), not {action.mask}"
        )
        yield _no("loss", "steps", text=text)
    elif loss.steps and action.decode != "joint":
        yield _no("loss", "steps", text=f"no effect with model.action.decode: {action.decode}")
    elif loss.steps and (action.readout != "own" or action.end_ids):
        text = "needs slots that answer for themselves (readout: own, no end_ids)"
        yield _no("loss", "steps", text=text)
    elif loss.steps > action.chunk:
        text = f"{loss.steps} of a chunk of {action.chunk} cannot be drawn; 0 takes all"
        yield _no("loss", "steps", text=text)
    if config.data.instructions > 1 and action.mask in ONE_INSTRUCTION:
        text = (
            f"{config.data.instructions}: with model.action.mask: {action.mask} a picture sees its "
        )
        yield _no("data", "instructions", text=text + "instruction; use 1, or block_prefix_lm")
    if loss.grounding and loss.grounding_layer >= layers:
        text = f"{loss.grounding_layer}: the decoder's layers are 0 to {layers - 1}"
        yield _no("loss", "grounding_layer", text=text)
    if config.data.proprio_dropout and not model.proprio_dim:
        text = "no effect: the network reads no proprioception, the datasets have none"
        yield _no("data", "proprio_dropout", text=text)
    if action.normalization == "mean_std" and action.output == "tokens":
        text = "mean_std leaves numbers outside -1..1, which tokens cannot say; use q99 or min_max"
        yield _no("model", "action", "normalization", text=f"{text}, or model.action.output: l1")
    if config.model.action.l1_width is not None and "l1" not in action.heads:
        text = f"no effect: the network's heads are {', '.join(action.heads)}; add l1 to heads"
        yield _no("model", "action", "l1_width", text=text)


def frozen_at_random(config: TrainConfig, fresh: Collection[str]) -> Iterator[Problem]:
    """Yield the frozen parts whose weights are random, `fresh`: they would never learn."""
    holds = {
        "vision": "backbones.",
        "projector": "projector",
        "llm": "action_rows",
        "llm_but_last": "action_rows",
    }
    for part in config.freeze:
        found = [name for name in fresh if name.startswith(holds[part])]
        if found:
            text = f"{part}: the weights of {_list(found)} are random and would never learn; "
            yield _no("freeze", text=text + f"leave {part} out, or begin with weights for it")


def unused_with_data(
    config: TrainConfig, train: Sequence[Source], held_out: bool
) -> Iterator[Problem]:
    """Yield the settings that need something which none of the datasets has."""
    names = ", ".join(source.name for source in train)
    if config.data.instructions > 1 and not any(source.has_relabels for source in train):
        text = f"{config.data.instructions}: no dataset ({names}) has counterfactual answers "
        yield _no("data", "instructions", text=text + "(columns relabel_*); use 1")
    if config.loss.grounding and not any(source.has_objects for source in train):
        text = f"{config.loss.grounding}: no dataset ({names}) says where things are "
        yield _no("loss", "grounding", text=text + "(object_names, object_pixels); use 0")
    for key in ("eval_every", "eval_batches"):
        if not held_out and _given(config, key):
            text = f"no effect: no dataset ({names}) holds anything out; leave it out, or make a "
            yield _no(key, text=text + "split with `evla dataset split`")


def _of_model(config: TrainConfig) -> Iterator[Problem]:
    if config.model.start and config.model.preset:
        text = f"{config.model.preset!r} has no effect beside model.start, whose network goes on; "
        yield _no("model", "preset", text=text + "leave one of them out (model.preset=)")


def _of_trained_parts(config: TrainConfig) -> Iterator[Problem]:
    if config.lora.base != "fp32" and config.distributed == "fsdp":
        text = f"{config.lora.base}: not with distributed: fsdp, which spreads fp32; use ddp"
        yield _no("lora", "base", text=text)
    if config.lora.adapters_only and config.lora.rank:
        if not config.model.start:
            text = "adapters are loaded on the checkpoint that they began with: name model.start"
            yield _no("lora", "adapters_only", text=text)
        elif config.model.vision:
            text = "not with model.vision, which replaces encoders of the base; leave one out"
            yield _no("lora", "adapters_only", text=text)
    if config.lora.rank and config.freeze:
        text = "lora freezes everything but its adapters; leave freeze empty"
        yield _no("freeze", text=f"{_list(config.freeze)}: {text}")
    for key in ("alpha", "dropout", "base", "adapters_only"):
        if not config.lora.rank and _given(config.lora, key):
            yield _no("lora", key, text="no effect while lora.rank is 0")
    if {"llm", "llm_but_last"} <= set(config.freeze):
        yield _no("freeze", text="llm and llm_but_last contradict each other; keep one")


def _of_cache(config: TrainConfig) -> Iterator[Problem]:
    needs = "needs freeze: [vision] and data.augment: false"
    if config.cache_features and config.lora.rank:
        yield _no("cache_features", text="not with lora, which changes the encoders")
    elif config.cache_features and ("vision" not in config.freeze or config.data.augment):
        yield _no("cache_features", text=needs)
    if config.features and not config.cache_features:
        yield _no("features", text="no effect while cache_features is false")


def _of_datasets(config: TrainConfig) -> Iterator[Problem]:
    if len(config.datasets) == 1 and _given(config.datasets[0], "weight"):
        text = "no effect with a single dataset"
        yield _no("datasets", 0, "weight", text=text)
    if not any(entry.val_split for entry in config.datasets):
        for key in ("eval_every", "eval_batches"):
            if _given(config, key):
                yield _no(key, text="no effect while every val_split is empty")


def _of_losses(config: TrainConfig, action: ActionConfig) -> Iterator[Problem]:
    loss = config.loss
    if action.decode != "joint":
        yield from _of_token_by_token(config, action)
        return
    for head in ("l1", "tokens"):
        weight = getattr(loss, head)
        if head == action.output and weight == 0:
            text = f"0, but the network answers with its {head} head, which would learn nothing"
            yield _no("loss", head, text=text)
        if head not in action.heads and weight and _given(loss, head):
            text = f"no effect: the network's heads are {_list(action.heads)}"
            yield _no("loss", head, text=text)


def _of_token_by_token(config: TrainConfig, action: ActionConfig) -> Iterator[Problem]:
    if action.heads != ("tokens",):
        text = (
            f"{action.decode} teaches the tokens head alone, the network has {_list(action.heads)}"
        )
        fix = "set model.action.heads: [tokens] and model.action.output: tokens"
        yield _no("model", "action", "decode", text=f"{text}; {fix}")
    for head, accepted in (("l1", 0.0), ("tokens", 1.0)):
        if _given(config.loss, head) and getattr(config.loss, head) != accepted:
            text = f"no effect with decode: {action.decode}, whose loss is the tokens' alone"
            yield _no("loss", head, text=f"{text}; leave it out")


def _given(section: BaseModel, key: str) -> bool:
    value: Any = getattr(section, key)
    return bool(value != type(section).model_fields[key].default)


def _no(*keys: int | str, text: str) -> Problem:
    return Problem(keys, text)


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
