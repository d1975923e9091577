# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The language model, projector and towers of a Prismatic vision-language model (`.pt`)."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from evla_ros.errors import shown
from evla_ros.model.from_parts.decoder import Decoder, map_decoder
from evla_ros.model.from_parts.decoder_settings import checked
from evla_ros.model.import_prismatic import language_model_data, read_prismatic
from evla_ros.model.prismatic_run import read_run
from evla_ros.model.stored import Stored

_TOWERS = {"dino_featurizer.": "dinov2", "siglip_featurizer.": "siglip"}


def open_prismatic(path: Path, tokenizer: Tokenizer | None) -> Decoder:
    """Open a file of phase 1 or 2; phase 1 holds projector and language model alone.

    Raises:
        CheckpointError: the file is damaged, or its run's config.json names another architecture.
    """
    modules = read_prismatic(path, needed=("projector", "llm_backbone"))
    source = shown(path)
    llm = {key.removeprefix("llm."): t for key, t in modules["llm_backbone"].items()}
    data = language_model_data(llm, read_run(path).known.get("llm", {}))
    config = checked(data, source)
    stored = {key: Stored.of(t, f"{source}: {key}") for key, t in llm.items()}
    towers: dict[str, dict[str, Stored]] = {}
    for key, tensor in modules.get("vision_backbone", {}).items():
        for prefix, kind in _TOWERS.items():
            if key.startswith(prefix):
                name = key.removeprefix(prefix)
                towers.setdefault(kind, {})[name] = Stored.of(tensor, f"{source}: {key}")
    if data["tie_embeddings"]:
        stored.pop("lm_head.weight", None)  # the same table, compared when the sizes were read
    return Decoder(
        config,
        map_decoder(stored, config, source),
        tokenizer,
        projector={k: Stored.of(t, f"{source}: {k}") for k, t in modules["projector"].items()},
        towers=towers,
    )
