# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration of the network that parts make, checked against a preset if one is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from evla_ros.model.config import BackboneConfig, EvlaConfig, LanguageModelConfig, parse_config
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.action_rows import MULTIPLE, highest_id
from evla_ros.model.from_parts.decoder import Decoder
from evla_ros.model.stored import Stored

BINS = 256
# What the weights say for themselves, whatever a preset has.
_OF_THE_WEIGHTS = ("activation", "mean", "std")
_FREE = ("vocabulary_rows", "max_positions", "head_dim", "rotary_fraction")


@dataclass(frozen=True)
class Wanted:
    """What the user asks for: a preset, and the side of the pictures (0: as the parts have it)."""

    preset: EvlaConfig | None
    image_size: int = 0


def network_of(
    wanted: Wanted,
    towers: Mapping[str, BackboneConfig],
    grids: Mapping[str, int],
    decoder: Decoder,
    tokenizer: Tokenizer,
    projector: Mapping[str, Stored],
) -> EvlaConfig:
    """Return the configuration.

    Args:
        wanted: the preset and the image size.
        towers: the towers that were given, by kind.
        grids: the side of each one's patch grid.
        decoder: the language model.
        tokenizer: of its text.
        projector: its tensors, empty when there is none.

    Raises:
        CheckpointError: a part differs from the preset, or a size is known from nowhere.
    """
    kind = (
        "fused-gelu-mlp"
        if "projector.4.weight" in projector or "4.weight" in projector
        else "gelu-mlp"
    )
    if wanted.preset is not None:
        return _like_preset(wanted.preset, wanted.image_size, towers, decoder, projector and kind)
    lacking = [name for name in ("dinov2", "siglip") if name not in towers]
    if lacking:
        raise CheckpointError(
            f"no --{lacking[0]} and no --preset: name the tower, or a preset that gives its size"
        )
    siglip = towers["siglip"]
    size = wanted.image_size or grids["siglip"] * siglip.patch_size
    return parse_config(
        {
            "name": "evla-built",
            "backbones": [towers["dinov2"].model_dump(), siglip.model_dump()],
            "image": {"size": size, "cameras": ("primary",)},
            "projector": kind,
            **_decoder_and_actions(decoder.config, tokenizer),
        },
        "the parts together",
    )


def _decoder_and_actions(decoder: LanguageModelConfig, tokenizer: Tokenizer) -> dict[str, Any]:
    """Action tokens come after the tokenizer's ids; the table grows where it has no free rows."""
    ids = highest_id(tokenizer.get_vocab(with_added_tokens=True))
    rows = max(decoder.vocabulary_rows, -(-(ids + BINS) // MULTIPLE) * MULTIPLE)
    begin = tokenizer.encode("", add_special_tokens=True).ids
    return {
        "language_model": {**decoder.model_dump(), "vocabulary_rows": rows},
        "action": {"chunk": 8, "dim": 7, "bins": BINS, "vocabulary_size": ids + BINS},
        "prompt": {"prefix_ids": begin[:1]},
    }


def _like_preset(
    preset: EvlaConfig,
    image_size: int,
    towers: Mapping[str, BackboneConfig],
    decoder: Decoder,
    projector: Any,
) -> EvlaConfig:
    differences = list(_differences(preset, towers, decoder, projector))
    if differences:
        raise CheckpointError(
            f"the parts are not those of the preset {preset.name}:\n  " + "\n  ".join(differences)
        )
    data = preset.model_dump(mode="json")
    for index, backbone in enumerate(preset.backbones):
        if backbone.kind in towers:
            data["backbones"][index] = towers[backbone.kind].model_dump(mode="json")
    own = decoder.config.model_dump()
    data["language_model"].update({name: own[name] for name in _FREE if name != "vocabulary_rows"})
    if image_size:
        data["image"]["size"] = image_size
    return parse_config(data, preset.name)


def _differences(
    preset: EvlaConfig, towers: Mapping[str, BackboneConfig], decoder: Decoder, projector: Any
) -> Iterator[str]:
    """Yield what differs, as `key: preset ..., given ...`."""
    for backbone in preset.backbones:
        found = towers.get(backbone.kind)
        for key, value in backbone.model_dump().items() if found else ():
            if key not in _OF_THE_WEIGHTS and getattr(found, key) != value:
                yield f"{backbone.kind}.{key}: preset {value}, given {getattr(found, key)}"
    own = decoder.config
    for key, value in preset.language_model.model_dump().items():
        given = getattr(own, key)
        given = given.model_dump() if hasattr(given, "model_dump") else given
        if key not in _FREE and given != value:
            yield f"language_model.{key}: preset {value}, given {given}"
    widths = [(c.head_dim or c.hidden_size // c.heads) for c in (preset.language_model, own)]
    if widths[0] != widths[1]:
        yield f"language_model.head_dim: preset {widths[0]}, given {widths[1]}"
    if projector and projector != preset.projector:
        yield f"projector: preset {preset.projector}, given {projector}"
