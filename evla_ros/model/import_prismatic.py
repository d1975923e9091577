# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a Prismatic or EVLA `.pt`: sizes are read from its shapes, nothing is ever unpickled."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evla_ros.model.config import EvlaConfig, PromptConfig, parse_config
from evla_ros.model.errors import CheckpointError
from evla_ros.model.key_map import is_tied, map_language_model, map_tower, tower_depth

MODULES = ("vision_backbone", "projector", "llm_backbone")
TextVocabulary = {"qwen2": 151643, "llama": 32000}  # ids below this are text or tail action tokens
_NORMS = {
    "dino_featurizer": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "siglip_featurizer": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
}


def read_prismatic(path: Path) -> dict[str, dict[str, Tensor]]:
    """The three modules of a `.pt` as flat dictionaries; tensors only, memory-mapped."""
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"checkpoint {str(path)!r} does not exist") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: refused: the file holds more than tensors, or is damaged; "
            "ask for a weights-only file"
        ) from error
    except (RuntimeError, EOFError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{path}: not a readable torch checkpoint (truncated or corrupt)"
        ) from error
    model = payload.get("model") if isinstance(payload, Mapping) else None
    if not isinstance(model, Mapping):
        raise CheckpointError(
            f"{path}: no 'model' entry; a Prismatic checkpoint holds model.{MODULES}"
        )
    missing = [name for name in MODULES if name not in model]
    if missing:
        raise CheckpointError(
            f"{path}: lacks {', '.join(missing)}; phase-1 files store only what was trained"
        )
    return {name: dict(model[name]) for name in MODULES}


def import_prismatic(
    path: str | Path, architecture: Mapping[str, Any] | None = None
) -> tuple[EvlaConfig, dict[str, Tensor]]:
    """Configuration and tensors (our names) of a published checkpoint.

    Args:
        path: the `.pt` file.
        architecture: what shapes cannot tell, if it differs from the published towers and decoder:
            `{"dino": {"heads"}, "siglip": {"heads"}, "llm": {"type", "num_attention_heads",
            "rope_theta", "rms_norm_eps"}, "action_vocab_size"}`.
    """
    source = str(path)
    modules = read_prismatic(Path(path))
    llm = {key.removeprefix("llm."): tensor for key, tensor in modules["llm_backbone"].items()}
    projector = modules["projector"]
    towers = {name: _tower(modules["vision_backbone"], name, source) for name in _NORMS}
    config = infer_config(towers, projector, llm, architecture or {}, source)
    tensors = dict(projector)
    for index, tower in enumerate(towers.values()):
        tensors.update(map_tower(tower, index, source))
    tensors.update(map_language_model(llm, source))
    return config, tensors


def infer_config(
    towers: Mapping[str, Mapping[str, Tensor]],
    projector: Mapping[str, Tensor],
    llm: Mapping[str, Tensor],
    known: Mapping[str, Any],
    source: str,
) -> EvlaConfig:
    """The configuration that fits the shapes; published head counts where `known` says nothing."""
    try:
        backbones = [
            _backbone_data(towers["dino_featurizer"], "dinov2", known.get("dino", {}), source),
            _backbone_data(towers["siglip_featurizer"], "siglip", known.get("siglip", {}), source),
        ]
        language_model = _language_model_data(llm, known.get("llm", {}))
        patches = towers["dino_featurizer"]["pos_embed"].shape[1]
    except KeyError as error:
        raise CheckpointError(f"{source}: lacks the tensor {error.args[0]!r}") from error
    side = round(patches**0.5) * backbones[0]["patch_size"]
    is_llama = language_model["family"] == "llama"
    published = TextVocabulary[language_model["family"]]
    data = {
        "name": "evla-imported",
        "backbones": backbones,
        "image": {"size": side, "cameras": ("primary",)},
        "projector": "fused-gelu-mlp" if "projector.4.weight" in projector else "gelu-mlp",
        "language_model": language_model,
        "action": {
            "chunk": 1,
            "dim": 7,
            "vocabulary_size": known.get("action_vocab_size", published),
            "mask": "isolated",
            "decode": "autoregressive" if is_llama else "released",
        },
        "prompt": PromptConfig(
            prefix_ids=(1,) if is_llama else (), suffix_ids=(29871,) if is_llama else (220,)
        ),
    }
    return parse_config(data, source)


def _tower(vision: Mapping[str, Tensor], name: str, source: str) -> dict[str, Tensor]:
    tower = {k.removeprefix(f"{name}."): t for k, t in vision.items() if k.startswith(f"{name}.")}
    if not tower:
        raise CheckpointError(f"{source}: vision_backbone has no {name}.* tensors")
    return tower


def _backbone_data(
    tower: Mapping[str, Tensor], kind: str, known: Mapping[str, Any], source: str
) -> dict[str, Any]:
    width, _, patch, _ = tower["patch_embed.proj.weight"].shape
    is_dino = kind == "dinov2"
    registers = tower["reg_token"].shape[1] if "reg_token" in tower else 0
    return {
        "kind": kind,
        "hidden_size": width,
        "depth": tower_depth(tower, source),
        "heads": known.get("heads", 16),
        "mlp_size": tower["blocks.0.mlp.fc1.weight"].shape[0],
        "patch_size": patch,
        "register_tokens": registers if is_dino else 0,
        **_NORMS["dino_featurizer" if is_dino else "siglip_featurizer"],
    }


def _language_model_data(llm: Mapping[str, Tensor], known: Mapping[str, Any]) -> dict[str, Any]:
    rows, width = llm["model.embed_tokens.weight"].shape
    has_bias = "model.layers.0.self_attn.q_proj.bias" in llm
    family = known.get("type", "qwen2" if has_bias else "llama")
    queries = llm["model.layers.0.self_attn.q_proj.weight"].shape[0]
    heads = known.get("num_attention_heads", queries // (64 if family == "qwen2" else 128))
    head_dim = queries // heads
    layers = 1 + max(int(key.split(".")[2]) for key in llm if key.startswith("model.layers."))
    return {
        "family": family,
        "vocabulary_rows": rows,
        "hidden_size": width,
        "layers": layers,
        "heads": heads,
        "key_value_heads": llm["model.layers.0.self_attn.k_proj.weight"].shape[0] // head_dim,
        "mlp_size": llm["model.layers.0.mlp.gate_proj.weight"].shape[0],
        "rope_theta": known.get("rope_theta", 1e6 if family == "qwen2" else 1e4),
        "norm_eps": known.get("rms_norm_eps", 1e-6),
        "tie_embeddings": is_tied(llm),
    }
