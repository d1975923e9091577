# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Put parts together: one configuration, every tensor, and a line on where each came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from evla_ros.errors import shown
from evla_ros.model.backbone import VisionBackbone
from evla_ros.model.building import check_shapes
from evla_ros.model.checkpoint import write_checkpoint
from evla_ros.model.config import BackboneConfig, EvlaConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.from_parts.action_rows import highest_id, with_action_rows
from evla_ros.model.from_parts.decoder import Decoder
from evla_ros.model.from_parts.decoder_files import open_decoder
from evla_ros.model.from_parts.network import Wanted, network_of
from evla_ros.model.from_parts.projector_file import open_projector
from evla_ros.model.from_parts.tower import Kind, Tower, open_tower, resized, tower_of
from evla_ros.model.from_parts.weight_files import local_path
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.presets import load_preset
from evla_ros.model.stored import Stored

RANDOM = "RANDOM"
KINDS: tuple[Kind, ...] = ("dinov2", "siglip")


@dataclass(frozen=True)
class Parts:
    """What the user names; an empty text means: not given.

    Attributes:
        preset: an architecture that the parts are checked against.
        dinov2, siglip, language_model: a folder, a file or `hub:ORG/NAME`.
        tokenizer: tokenizer.json or Qwen's .tiktoken; the language model's own otherwise.
        projector: a safetensors or Prismatic file.
        image_size: the side of the pictures, 0: the preset's, or the SigLIP's own.
        seed: of everything that is drawn.
    """

    language_model: str
    preset: str = ""
    dinov2: str = ""
    siglip: str = ""
    tokenizer: Path | None = None
    projector: str = ""
    image_size: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Assembly:
    """The network of the parts: its configuration, its tensors by name, where each is from."""

    config: EvlaConfig
    tensors: dict[str, Stored]
    tokenizer: Tokenizer
    report: tuple[tuple[str, str], ...]


def assemble(parts: Parts) -> Assembly:
    """Open and check all parts; no weights are read yet.

    Raises:
        CheckpointError: a part is missing, damaged or does not fit the others or the preset.
        ModelConfigError: no such preset.
    """
    preset = load_preset(parts.preset) if parts.preset else None
    path = local_path(parts.language_model)
    decoder = open_decoder(path, parts.tokenizer)
    if decoder.tokenizer is None:
        raise CheckpointError(
            f"{shown(path)} holds no tokenizer.json; name the language model's with --tokenizer"
        )
    towers = _towers(parts, decoder, preset)
    projector = open_projector(local_path(parts.projector)) if parts.projector else None
    projector = projector if projector is not None else decoder.projector
    config = network_of(
        Wanted(preset, parts.image_size),
        {kind: tower.config for kind, tower in towers.items()},
        {kind: tower.grid for kind, tower in towers.items()},
        decoder,
        decoder.tokenizer,
        projector,
    )
    tensors, report = _vision(parts, config, towers)
    ids = highest_id(decoder.tokenizer.get_vocab(with_added_tokens=True))
    changed, notes = with_action_rows(decoder.tensors, config, ids, parts.seed)
    tensors |= changed
    report += [
        ("language model", "; ".join([parts.language_model, *decoder.notes, *notes])),
        ("tokenizer", f"{parts.tokenizer or parts.language_model}; {ids} ids"),
    ]
    if projector:
        tensors |= {
            f"projector.{key.removeprefix('projector.')}": t for key, t in projector.items()
        }
        report.append(("projector", parts.projector or parts.language_model))
    own_rows = config.action.vocabulary_size - config.action.bins >= ids
    untrained = [f"backbones.{i}" for i, b in enumerate(config.backbones) if b.kind not in towers]
    complete, drawn = _fresh(config, tensors, parts.seed)
    untrained += [part.replace(" ", "_") for part, _ in drawn] + ["action_rows"] * own_rows
    config = config.model_copy(update={"untrained": tuple(untrained)})
    return Assembly(config, complete, decoder.tokenizer, (*report, *drawn))


def _vision(
    parts: Parts, config: EvlaConfig, towers: Mapping[str, Tower]
) -> tuple[dict[str, Stored], list[tuple[str, str]]]:
    """Return the tensors of all towers, and a line on each; one that is not given is drawn."""
    tensors: dict[str, Stored] = {}
    report: list[tuple[str, str]] = []
    for index, backbone in enumerate(config.backbones):
        found, prefix = towers.get(backbone.kind), f"backbones.{index}."
        if found is None:
            torch.manual_seed(parts.seed + index)
            module = VisionBackbone(backbone, config.image.size)
            tensors |= {prefix + name: Stored.of(p) for name, p in module.named_parameters()}
            report.append((backbone.kind, f"{RANDOM}: no --{backbone.kind} was given"))
            continue
        found = resized(found, config.image.size // backbone.patch_size)
        tensors |= {prefix + name: tensor for name, tensor in found.tensors.items()}
        where = getattr(parts, backbone.kind) or parts.language_model
        report.append((backbone.kind, "; ".join([where, *found.notes])))
    return tensors, report


def write_assembly(assembly: Assembly, target: Path, dtype: torch.dtype | None = None) -> Path:
    """Write the checkpoint folder, one tensor at a time; `dtype` None takes the decoder's.

    Raises:
        CheckpointError: the folder exists, or a part turns out to be damaged.
    """
    if dtype is None:
        dtype = assembly.tensors["language_model.body.embed_tokens.weight"].dtype
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one reads while others hash and write; more would only wait
    try:
        return write_checkpoint(
            target,
            assembly.config,
            assembly.tensors,
            assembly.tokenizer,
            DatasetStatistics({}),
            dtype=dtype,
        )
    finally:
        torch.set_num_threads(threads)


def _towers(parts: Parts, decoder: Decoder, preset: EvlaConfig | None) -> dict[str, Tower]:
    known: dict[str, BackboneConfig] = {b.kind: b for b in preset.backbones} if preset else {}
    towers: dict[str, Tower] = {}
    for kind in KINDS:
        name = getattr(parts, kind)
        if name:
            towers[kind] = open_tower(local_path(name), kind, known.get(kind))
        elif kind in decoder.towers:
            towers[kind] = tower_of(
                decoder.towers[kind], {}, kind, Path(parts.language_model), known.get(kind)
            )
    return towers


def _fresh(
    config: EvlaConfig, tensors: Mapping[str, Stored], seed: int
) -> tuple[dict[str, Stored], list[tuple[str, str]]]:
    """Return the tensors with what no part brings, drawn; and a line on each drawn part."""
    with torch.device("meta"):
        model = EvlaModel(config)
    expected = dict(model.named_parameters())
    missing = {name for name in expected if name not in tensors}
    complete = dict(tensors)
    report = []
    torch.manual_seed(seed)
    for part in ("projector", "proprio", "l1_head"):
        own = {name for name in missing if name.split(".")[0] == part}
        if own and own == {name for name in expected if name.split(".")[0] == part}:
            module = model.get_submodule(part).to_empty(device="cpu")
            _reset(module)
            complete |= {f"{part}.{n}": Stored.of(p) for n, p in module.named_parameters()}
            report.append((part.replace("_", " "), f"{RANDOM}: not part of what was given"))
    for name, spread in (("slot_embedding", 0.02), ("arm_embedding", 0.3)):
        if name in missing:
            drawn = spread * torch.randn(tuple(expected[name].shape))
            complete[name] = Stored.of(drawn)
            report.append((name.replace("_", " "), f"{RANDOM}: every robot learns its own"))
    check_shapes(expected, complete, "the parts together")
    return {name: complete[name] for name in expected}, report


def _reset(module: nn.Module) -> None:
    for child in module.modules():
        if isinstance(child, (nn.Linear, nn.LayerNorm)):
            child.reset_parameters()
