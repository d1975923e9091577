# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a Prismatic or EVLA `.pt`: sizes come from its tensors, nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from evla_ros.errors import shorten
from evla_ros.model.config import EvlaConfig, PromptConfig, parse_config
from evla_ros.model.errors import CheckpointError
from evla_ros.model.key_map import is_tied, map_language_model, map_tower, tower_depth
from evla_ros.model.prismatic_run import LANGUAGE_MODELS, TextSettings, read_run
from evla_ros.model.stored import load_weights_only

MODULES = ("vision_backbone", "projector", "llm_backbone")
_FEATURIZERS = {"dino_featurizer": "dinov2", "siglip_featurizer": "siglip"}
_NORMS = {
    "dinov2": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "siglip": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
}


def read_prismatic(path: Path, needed: Collection[str] = MODULES) -> dict[str, dict[str, Tensor]]:
    """Return the modules of a `.pt`: module name -> tensor name -> tensor, memory-mapped.

    Args:
        path: the file.
        needed: modules that it must hold; others are returned where they are there.

    Raises:
        CheckpointError: the file is missing, damaged, holds more than tensors or lacks a module.
    """
    payload = load_weights_only(path)
    model = payload.get("model") if isinstance(payload, Mapping) else None
    if not isinstance(model, Mapping):
        raise CheckpointError(
            f"{path}: no 'model' entry; a Prismatic checkpoint holds model.{MODULES}"
        )
    missing = [name for name in needed if not isinstance(model.get(name), Mapping)]
    if missing:
        raise CheckpointError(
            f"{path}: lacks {', '.join(missing)}; phase-1 files store only what was trained: build "
            "a checkpoint of its parts with `evla build`"
        )
    found = {name: dict(model[name]) for name in MODULES if isinstance(model.get(name), Mapping)}
    for name, tensors in found.items():
        strange = [k for k, t in tensors.items() if not isinstance(k, str) or not _is_tensor(t)]
        if strange:
            raise CheckpointError(f"{path}: {name}.{shorten(str(strange[0]))} is no named tensor")
    return found


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def import_prismatic(
    path: str | Path, architecture: Mapping[str, Any] | None = None
) -> tuple[EvlaConfig, dict[str, Tensor]]:
    """Read a published checkpoint; the `config.json` of its run says what shapes cannot tell.

    Args:
        path: the `.pt` file.
        architecture: what the shapes cannot tell, where it differs from the published model:
            `{"dino": {"heads"}, "siglip": {"heads"}, "llm": {"type", "num_attention_heads",
            "rope_theta", "rms_norm_eps"}, "action_vocab_size"}`. It goes before the run's.

    Returns:
        The configuration, and the tensors under our names.

    Raises:
        CheckpointError: the file cannot be read, or its tensors are not those of such a model.
    """
    source = str(path)
    modules = read_prismatic(Path(path))
    run = read_run(Path(path))
    llm = {key.removeprefix("llm."): tensor for key, tensor in modules["llm_backbone"].items()}
    projector = modules["projector"]
    towers = _towers(modules["vision_backbone"], source)
    known = {**run.known, **(architecture or {})}
    config = infer_config(towers, projector, llm, known, source, run.text)
    if run.resize == "letterbox":
        means = [tower.mean for tower in config.backbones]
        fills = tuple(tuple(int(255 * value) for value in mean) for mean in means)
        image = config.image.model_copy(update={"resize": run.resize, "fills": fills})
        config = config.model_copy(update={"image": image})
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
    text: TextSettings | None = None,
) -> EvlaConfig:
    """Return the configuration that fits the shapes of the tensors.

    Args:
        towers: `dino_featurizer`, `siglip_featurizer` or both, with their tensors.
        projector: its tensors.
        llm: the language model's tensors.
        known: what the shapes cannot tell, see `import_prismatic`; published values otherwise.
        source: where the tensors come from, for messages.
        text: the language model's prompt; None takes the published one of its family.

    Raises:
        CheckpointError: a tensor that gives a size is missing.
    """
    try:
        backbones = [
            _backbone_data(
                tower, _FEATURIZERS[name], known.get(name.split("_", maxsplit=1)[0], {}), source
            )
            for name, tower in towers.items()
        ]
        language_model = language_model_data(llm, known.get("llm", {}))
        patches = next(iter(towers.values()))["pos_embed"].shape[1]
    except KeyError as error:
        raise CheckpointError(f"{source}: lacks the tensor {error.args[0]!r}") from error
    except (ValueError, TypeError, AttributeError, ZeroDivisionError, IndexError) as error:
        raise CheckpointError(
            f"{source}: its tensors, or the sizes that are named for it, are not those of such a "
            f"model ({shorten(str(error))})"
        ) from error
    side = round(patches**0.5) * backbones[0]["patch_size"]
    is_llama = language_model["family"] == "llama"
    if text is None:
        if language_model["family"] not in ("llama", "qwen2"):
            raise CheckpointError(
                f"{source}: the prompt and the action tokens of a {language_model['family']} are "
                "not known; those of Qwen2 and Llama-2 are. Build a checkpoint of its parts with "
                "`evla build`"
            )
        text = LANGUAGE_MODELS["llama2-7b-pure" if is_llama else "qwen"]
    vocabulary = known.get("action_vocab_size", text.tokens)
    data = {
        "name": "evla-imported",
        "backbones": backbones,
        "image": {"size": side, "cameras": ("primary",)},
        "projector": "fused-gelu-mlp" if "projector.4.weight" in projector else "gelu-mlp",
        "language_model": language_model,
        "action": {
            "chunk": 1,
            "dim": 7,
            "vocabulary_size": vocabulary,
            "mask": "isolated",
            "decode": "released" if text is LANGUAGE_MODELS["qwen"] else "autoregressive",
        },
        "prompt": PromptConfig(
            template=text.template, prefix_ids=text.prefix_ids, suffix_ids=text.suffix_ids
        ),
    }
    return parse_config(data, source)


def _towers(vision: Mapping[str, Tensor], source: str) -> dict[str, dict[str, Tensor]]:
    """Return the towers by name; a backbone of SigLIP alone calls its tower `featurizer`."""
    towers = {}
    for name in (*_FEATURIZERS, "featurizer"):
        found = {
            k.removeprefix(f"{name}."): t for k, t in vision.items() if k.startswith(f"{name}.")
        }
        if found:
            towers[tower_name(found) if name == "featurizer" else name] = found
    left = [key for key in vision if key.split(".")[0] not in (*_FEATURIZERS, "featurizer")]
    if left or not towers:
        problem = f"the unknown key {left[0]!r}" if left else "no tower"
        raise CheckpointError(
            f"{source}: vision_backbone has {problem}; dino_featurizer.*, siglip_featurizer.* or "
            "featurizer.* are known"
        )
    return towers


def tower_name(tower: Mapping[str, Tensor]) -> str:
    """Return `dino_featurizer` or `siglip_featurizer`; a DINOv2 has layer scales."""
    return "dino_featurizer" if "blocks.0.ls1.gamma" in tower else "siglip_featurizer"


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
        **_NORMS[kind],
    }


def language_model_data(llm: Mapping[str, Tensor], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sizes of a language model from its tensors and what they cannot tell."""
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
        "norm_eps": known.get("rms_norm_eps", 1e-6 if family == "qwen2" else 1e-5),
        "tie_embeddings": is_tied(llm),
    }
