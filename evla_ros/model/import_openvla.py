# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import a Hugging Face OpenVLA folder: weights (safetensors only), sizes and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import LlamaConfig

from evla_ros.errors import shown
from evla_ros.model.config import EvlaConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.import_prismatic import infer_config, tower_name
from evla_ros.model.key_map import map_language_model, map_tower
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.oft_parts import (
    ADAPTER,
    OftParts,
    OftSettings,
    as_dtype,
    oft_config,
    read_oft,
)
from evla_ros.model.peft_adapter import merged_with_adapter
from evla_ros.model.prismatic_run import QWEN_EXTRA, TextSettings, language_model, resize_of
from evla_ros.model.safe_files import read_safetensors
from evla_ros.reading.text_files import is_file, read_json_object

_TOWERS = ("vision_backbone.featurizer.", "vision_backbone.fused_featurizer.")
_PROJECTOR = {"fc1": "projector.0", "fc2": "projector.2", "fc3": "projector.4"}


def import_openvla(
    folder: str | Path,
    action_vocabulary_size: int | None = None,
    oft: OftSettings | None = None,
    *,
    statistics: str | None = None,
) -> tuple[EvlaConfig, dict[str, Tensor], DatasetStatistics]:
    """Read an OpenVLA folder.

    Args:
        folder: the folder, with `config.json` and safetensors files.
        action_vocabulary_size: the id after the last action token; None takes the published one of
            the decoder's family, since the folder's own arithmetic (`vocab_size -
            pad_to_multiple_of`) is right for Llama only.
        oft: what a fine-tune by OpenVLA-OFT does not say about itself.
        statistics: the name of the one dataset whose statistics are kept; None keeps all.

    Returns:
        The configuration, the tensors under our names, and the dataset statistics.

    Raises:
        CheckpointError: not an OpenVLA folder, or a part is missing or damaged.
    """
    path = Path(folder)
    source = str(path)
    oft = oft or OftSettings()
    published = _published(oft.base or path)
    parts = read_oft(path)
    _refuse_settings(oft, parts, source)
    weights = _weights_of_run(path, oft, parts is not None)
    towers, projector, llm = split_modules(weights, source)
    text, known = _language_model_settings(published, str(path / "config.json"))
    if action_vocabulary_size is not None:
        known["action_vocab_size"] = action_vocabulary_size
    config = infer_config(towers, projector, llm, known, source, text)
    # Whatever it names, its pictures had been squashed to squares by the loader of the dataset.
    resize_of(str(published.get("image_resize_strategy", "resize-naive")), source)
    tensors = dict(projector)
    for index, tower in enumerate(towers.values()):
        tensors.update(map_tower(tower, index, source))
    tensors.update(map_language_model(llm, source))
    numbers = _statistics(path, published)
    numbers = numbers if statistics is None else numbers.only(statistics)
    if parts is not None:
        config = oft_config(config, parts, oft, numbers)
        tensors |= as_dtype(parts.tensors, llm["model.embed_tokens.weight"].dtype)
    return config, tensors, numbers


def _published(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    published = read_json_object(file, CheckpointError)
    if published.get("model_type") != "openvla":
        raise CheckpointError(
            f"{file}: model_type is {published.get('model_type')!r}, expected 'openvla'"
        )
    return published


def _refuse_settings(oft: OftSettings, parts: OftParts | None, source: str) -> None:
    for name in ("chunk", "cameras", "normalization", "base"):
        if parts is None and getattr(oft, name):
            raise CheckpointError(
                f"--{name} has no effect: {source} is plain OpenVLA, no fine-tune by OpenVLA-OFT"
            )


def split_modules(
    weights: Mapping[str, Tensor], source: str
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor], dict[str, Tensor]]:
    """Split OpenVLA's weights into towers, projector and language model with Prismatic's names.

    Raises:
        CheckpointError: a tensor belongs to none of them.
    """
    found: dict[str, dict[str, Tensor]] = {prefix: {} for prefix in _TOWERS}
    projector: dict[str, Tensor] = {}
    llm: dict[str, Tensor] = {}
    for key, tensor in weights.items():
        prefix = next((p for p in _TOWERS if key.startswith(p)), None)
        if prefix:
            native = key.removeprefix(prefix).replace("scale_factor", "gamma")
            found[prefix][native] = tensor
        elif key.startswith("projector."):
            _, layer, kind = key.split(".")
            projector[f"{_PROJECTOR.get(layer, layer)}.{kind}"] = tensor
        elif key.startswith("language_model."):
            llm[key.removeprefix("language_model.")] = tensor
        else:
            raise CheckpointError(f"{source}: unknown key {key!r}; not an OpenVLA checkpoint")
    towers = {tower_name(tower): tower for tower in found.values() if tower}
    if not towers:
        raise CheckpointError(f"{source}: has no vision_backbone.featurizer.* tensors")
    return towers, projector, llm


def _read_weights(folder: Path) -> dict[str, Tensor]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return read_safetensors(folder / "model.safetensors")
    weight_map = read_json_object(index, CheckpointError).get("weight_map")
    if not isinstance(weight_map, dict):
        raise CheckpointError(f"{index}: `weight_map` is no mapping of tensor to file")
    shards = sorted({str(shard) for shard in weight_map.values()})
    weights: dict[str, Tensor] = {}
    for shard in shards:
        if Path(shard).name != shard:
            raise CheckpointError(f"{index}: shard {shard!r} lies outside the folder; refused")
        weights.update(read_safetensors(folder / shard))
    return weights


def _weights_of_run(path: Path, oft: OftSettings, is_oft: bool) -> dict[str, Tensor]:
    """Return the weights under their published names; adapters alone need a base."""
    if is_file(path / "model.safetensors") or is_file(path / "model.safetensors.index.json"):
        if oft.base is not None:
            raise CheckpointError(f"--base has no effect: {shown(path)} holds merged weights")
        return _read_weights(path)
    adapter = path / ADAPTER
    if not is_oft or not adapter.is_dir():
        return _read_weights(path)
    if oft.base is None:
        raise CheckpointError(
            f"{shown(path)}: holds a {ADAPTER} alone; name the OpenVLA folder that it was trained "
            "on with --base DIR"
        )
    return merged_with_adapter(_read_weights(oft.base), adapter)


def _language_model_settings(
    published: Mapping[str, Any], source: str
) -> tuple[TextSettings | None, dict[str, Any]]:
    """Return the prompt, and what shapes cannot tell.

    What `text_config` leaves out is what the class of the Hugging Face port takes then: for a
    Llama 32 heads and an epsilon of 1e-6, whatever the native weights were trained with.
    """
    text_config = published.get("text_config", {})
    if not isinstance(text_config, Mapping):
        raise CheckpointError(f"{source}: text_config is no mapping")
    names = ("num_attention_heads", "rope_theta", "rms_norm_eps")
    sizes = {name: text_config[name] for name in names if name in text_config}
    if "model_type" in text_config:
        sizes["type"] = text_config["model_type"]
    if sizes.get("type", "llama") == "llama":
        sizes = {"rms_norm_eps": LlamaConfig().rms_norm_eps, **sizes}
    name = published.get("llm_backbone_id")
    if name is None:
        return None, {"llm": sizes}
    text = language_model(str(name), source)
    known: dict[str, Any] = {"llm": {**text.sizes, **sizes}}
    if name == "qwen25-0_5b-extra":
        known["action_vocab_size"] = QWEN_EXTRA
    return text, known


def _statistics(folder: Path, published: Mapping[str, Any]) -> DatasetStatistics:
    """Return the statistics; a file of a fine-tuning goes before those inside config.json."""
    file = folder / "dataset_statistics.json"
    if file.is_file():
        return DatasetStatistics.read(file)
    if not published.get("norm_stats"):
        raise CheckpointError(
            f"{folder}: no dataset_statistics.json and no norm_stats in config.json"
        )
    return DatasetStatistics.of(published["norm_stats"], f"{folder}/config.json: norm_stats")
