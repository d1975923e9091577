# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sizes of a vision tower: from the `config.json` of its folder, or from its shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evla_ros.errors import nearest, shown
from evla_ros.model.config import BackboneConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.key_map import tower_depth
from evla_ros.model.stored import Stored
from evla_ros.reading.text_files import read_json_object
from evla_ros.settings_errors import lines, problems

NORMS: dict[str, dict[str, tuple[float, float, float]]] = {
    "dinov2": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "siglip": {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)},
}
_MODEL_TYPES = {
    "dinov2_with_registers": "dinov2",
    "dinov2": "dinov2",
    "siglip": "siglip",
    "siglip_vision_model": "siglip",
}
_SIGLIP_HEADS = {1152: 16}  # SO400M; the others have heads of 64 channels
_NORM_EPS = 1e-6  # of both families; the layers are built with it
_FIXED = {"use_swiglu_ffn": False, "qkv_bias": True, "num_channels": 3, "layer_norm_eps": _NORM_EPS}


def hf_settings(settings: Mapping[str, Any], kind: str, path: Path) -> BackboneConfig:
    """Return the configuration of a Hugging Face tower.

    Raises:
        CheckpointError: the folder's `config.json` is of another model, lacks a size, or names
            something that our tower does not have.
    """
    source = f"{shown(path)}: config.json"
    if not settings:
        raise CheckpointError(
            f"{shown(path)}: neither a folder with a config.json nor a timm state dict"
        )
    model_type = str(settings.get("model_type"))
    if _MODEL_TYPES.get(model_type) != kind:
        known = [name for name, of in _MODEL_TYPES.items() if of == kind]
        raise CheckpointError(
            f"{source}: model_type {model_type!r} is no {kind} tower; {nearest(model_type, known)}"
        )
    vision = settings.get("vision_config", settings)
    if not isinstance(vision, Mapping):
        raise CheckpointError(f"{source}: vision_config is no mapping")
    for key, built in _FIXED.items():
        if vision.get(key, built) != built:
            raise CheckpointError(
                f"{source}: {key} is {vision[key]}; a tower is built with {built}"
            )
    width = vision.get("hidden_size", 768)
    mlp = vision.get("intermediate_size", 3072)
    registers = 0
    if kind == "dinov2":
        mlp = width * vision.get("mlp_ratio", 4)
        registers = vision.get("num_register_tokens", 4) if "registers" in model_type else 0
    data = {
        "kind": kind,
        "hidden_size": width,
        "depth": vision.get("num_hidden_layers", 12),
        "heads": vision.get("num_attention_heads", 12),
        "mlp_size": mlp,
        "patch_size": vision.get("patch_size", 14 if kind == "dinov2" else 16),
        "register_tokens": registers,
        "activation": vision.get("hidden_act", "gelu" if kind == "dinov2" else "gelu_pytorch_tanh"),
        **_normalisation(path, kind),
    }
    return _checked(data, source)


def timm_settings(
    weights: Mapping[str, Stored], kind: str, known: BackboneConfig | None, source: str
) -> tuple[BackboneConfig, tuple[str, ...]]:
    """Return the configuration that the shapes of a timm tower tell, and what they cannot.

    Raises:
        CheckpointError: it is a tower of another kind, or lacks a tensor.
    """
    found = "dinov2" if "blocks.0.ls1.gamma" in weights else "siglip"
    if found != kind:
        raise CheckpointError(f"{source}: these are the tensors of a {found} tower, not of {kind}")
    try:
        width, _, patch, _ = weights["patch_embed.proj.weight"].shape
        mlp = weights["blocks.0.mlp.fc1.weight"].shape[0]
    except KeyError as error:
        raise CheckpointError(f"{source}: lacks the tensor {error.args[0]!r}") from error
    heads = known.heads if known else _SIGLIP_HEADS.get(width, width // 64)
    registers = weights["reg_token"].shape[1] if "reg_token" in weights else 0
    data = {
        "kind": kind,
        "hidden_size": width,
        "depth": tower_depth(weights, source),
        "heads": heads,
        "mlp_size": mlp,
        "patch_size": patch,
        "register_tokens": registers,
        "activation": known.activation if known else "gelu",
        **(NORMS[kind] if known is None else {"mean": known.mean, "std": known.std}),
    }
    note = f"a timm state dict does not say: {heads} heads, activation {data['activation']}"
    return _checked(data, source), (f"{note} ({'of the preset' if known else 'as published'})",)


def _normalisation(path: Path, kind: str) -> Mapping[str, Any]:
    file = path / "preprocessor_config.json"
    if not file.is_file():
        return NORMS[kind]
    found = read_json_object(file, CheckpointError)
    if "image_mean" not in found or "image_std" not in found:
        return NORMS[kind]
    return {"mean": found["image_mean"], "std": found["image_std"]}


def _checked(data: dict[str, Any], source: str) -> BackboneConfig:
    try:
        return BackboneConfig.model_validate(data)
    except ValidationError as error:
        raise CheckpointError(lines(problems(error, BackboneConfig), source)) from error
