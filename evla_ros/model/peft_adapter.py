# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Adapters that `peft` saved, added to the weights of their base: W + scale * B A."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from evla_ros.errors import shorten, shown
from evla_ros.model.errors import CheckpointError
from evla_ros.model.stored import Stored, stored_pickle, stored_safetensors
from evla_ros.reading.text_files import is_file, read_json_object

SETTINGS = "adapter_config.json"
FILES = ("adapter_model.safetensors", "adapter_model.bin")
_PREFIX, _DOWN, _UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
# What adapters may have that this sum lacks, and the values that mean: they have not.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "use_dora": (False, None),
    "bias": ("none", None),
    "modules_to_save": (None, []),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
    "fan_in_fan_out": (False, None),
}


def merged_with_adapter(weights: Mapping[str, Tensor], folder: Path) -> dict[str, Tensor]:
    """Return weights with the adapter of a folder added in.

    Args:
        weights: the base's, by the names that its modules had when the adapter was trained.
        folder: with `adapter_config.json` and `adapter_model.safetensors` (or `.bin`).

    Raises:
        CheckpointError: it is no plain LoRA, or made for another network.
    """
    scale = _scale(folder / SETTINGS)
    found = _tensors(folder)
    merged = dict(weights)
    downs = {name.removesuffix(_DOWN): name for name in found if name.endswith(_DOWN)}
    left = [n for n in found if not n.endswith((_DOWN, _UP))]
    left += [n for n in found if n.endswith(_UP) and n.removesuffix(_UP) not in downs]
    if left or not downs:
        what = f"the unknown tensor {shorten(repr(left[0]))}" if left else "no lora_A tensor"
        raise CheckpointError(f"{shown(folder)}: has {what}; plain LoRA on linear layers is read")
    for module, down_name in downs.items():
        name = f"{module}.weight"
        if module + _UP not in found:
            raise CheckpointError(f"{shown(folder)}: lacks {module}{_UP}")
        if name not in merged:
            raise CheckpointError(
                f"{shown(folder)}: adapts {shorten(repr(name))}, which its base lacks; name the "
                "base that it was trained on"
            )
        down, up, base = found[down_name].read(), found[module + _UP].read(), merged[name]
        if (up.shape[0], down.shape[1]) != tuple(base.shape) or up.shape[1] != down.shape[0]:
            raise CheckpointError(
                f"{shown(folder)}: {module} adapts a layer of {[up.shape[0], down.shape[1]]}, its "
                f"base has {list(base.shape)}; name the base that it was trained on"
            )
        merged[name] = (base.float() + scale * (up.float() @ down.float())).to(base.dtype)
    return merged


def _scale(file: Path) -> float:
    settings = read_json_object(file, CheckpointError)
    if settings.get("peft_type") != "LORA":
        raise CheckpointError(
            f"{shown(file)}: peft_type {settings.get('peft_type')!r} is not supported; LORA is"
        )
    for key, plain in _PLAIN.items():
        if settings.get(key) not in plain:
            raise CheckpointError(
                f"{shown(file)}: {key} {shorten(repr(settings[key]))} is not supported; merge it "
                "with the code that trained it"
            )
    rank, alpha = settings.get("r"), settings.get("lora_alpha")
    if not isinstance(rank, int) or rank < 1 or not isinstance(alpha, (int, float)):
        raise CheckpointError(f"{shown(file)}: r {rank!r} and lora_alpha {alpha!r} are no numbers")
    return float(alpha) / (rank**0.5 if settings.get("use_rslora") else rank)


def _tensors(folder: Path) -> dict[str, Stored]:
    for name in FILES:
        if is_file(folder / name):
            read = stored_pickle if name.endswith(".bin") else stored_safetensors
            return {k.removeprefix(_PREFIX): t for k, t in read(folder / name).items()}
    raise CheckpointError(f"{shown(folder)}: lacks {FILES[0]}")
