# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a Hugging Face OpenVLA folder: weights (safetensors only), sizes and statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from evla_ros.model.config import EvlaConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.import_prismatic import infer_config
from evla_ros.model.key_map import map_language_model, map_tower
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.safe_files import read_json, read_safetensors

_TOWERS = {
    "vision_backbone.featurizer.": "dino_featurizer",
    "vision_backbone.fused_featurizer.": "siglip_featurizer",
}
_PROJECTOR = {"fc1": "projector.0", "fc2": "projector.2", "fc3": "projector.4"}


def import_openvla(
    folder: str | Path, action_vocabulary_size: int | None = None
) -> tuple[EvlaConfig, dict[str, Tensor], DatasetStatistics]:
    """Configuration, tensors (our names) and statistics of an OpenVLA folder.

    The action vocabulary is the published one of the decoder's family unless given: the folder's
    own arithmetic (`vocab_size - pad_to_multiple_of`) is right for Llama only.
    """
    path = Path(folder)
    source = str(path)
    published = read_json(path / "config.json")
    if published.get("model_type") != "openvla":
        raise CheckpointError(
            f"{path / 'config.json'}: model_type is {published.get('model_type')!r}, "
            "expected 'openvla'"
        )
    towers, projector, llm = split_modules(_read_weights(path), source)
    known: dict[str, Any] = {"llm": _language_model_facts(published)}
    if action_vocabulary_size is not None:
        known["action_vocab_size"] = action_vocabulary_size
    config = infer_config(towers, projector, llm, known, source)
    strategy = published.get("image_resize_strategy", "resize-naive")
    resize = "letterbox" if strategy == "letterbox" else "squash"
    config = config.model_copy(update={"image": config.image.model_copy(update={"resize": resize})})
    tensors = dict(projector)
    for index, tower in enumerate(towers.values()):
        tensors.update(map_tower(tower, index, source))
    tensors.update(map_language_model(llm, source))
    return config, tensors, _statistics(path, published)


def split_modules(
    weights: Mapping[str, Tensor], source: str
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor], dict[str, Tensor]]:
    """Towers, projector and language model under the native (Prismatic) key names."""
    towers: dict[str, dict[str, Tensor]] = {name: {} for name in _TOWERS.values()}
    projector: dict[str, Tensor] = {}
    llm: dict[str, Tensor] = {}
    for key, tensor in weights.items():
        prefix = next((p for p in _TOWERS if key.startswith(p)), None)
        if prefix:
            native = key.removeprefix(prefix).replace("scale_factor", "gamma")
            towers[_TOWERS[prefix]][native] = tensor
        elif key.startswith("projector."):
            _, layer, kind = key.split(".")
            projector[f"{_PROJECTOR.get(layer, layer)}.{kind}"] = tensor
        elif key.startswith("language_model."):
            llm[key.removeprefix("language_model.")] = tensor
        else:
            raise CheckpointError(f"{source}: unknown key {key!r}; not an OpenVLA checkpoint")
    return towers, projector, llm


def _read_weights(folder: Path) -> dict[str, Tensor]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return read_safetensors(folder / "model.safetensors")
    shards = sorted(set(read_json(index).get("weight_map", {}).values()))
    weights: dict[str, Tensor] = {}
    for shard in shards:
        if Path(shard).name != shard:
            raise CheckpointError(f"{index}: shard {shard!r} lies outside the folder; refused")
        weights.update(read_safetensors(folder / shard))
    return weights


def _language_model_facts(published: Mapping[str, Any]) -> dict[str, Any]:
    text = published.get("text_config", {})
    names = ("num_attention_heads", "rope_theta", "rms_norm_eps")
    facts = {name: text[name] for name in names if name in text}
    if "model_type" in text:
        facts["type"] = text["model_type"]
    return facts


def _statistics(folder: Path, published: Mapping[str, Any]) -> DatasetStatistics:
    """A local fine-tune's own file wins over the statistics inside config.json."""
    file = folder / "dataset_statistics.json"
    if file.is_file():
        return DatasetStatistics.read(file)
    if not published.get("norm_stats"):
        raise CheckpointError(
            f"{folder}: no dataset_statistics.json and no norm_stats in config.json"
        )
    return DatasetStatistics(json.loads(json.dumps(published["norm_stats"])))
