# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sizes of a language model from its `config.json`; what our decoder cannot be is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from evla_ros.errors import nearest
from evla_ros.model.config import LanguageModelConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.stored import Stored
from evla_ros.settings_errors import lines, problems

# Phi-3 is a Llama whose projections are joined.
FAMILIES = {
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "llama": "llama",
    "gemma": "gemma",
    "phi": "phi",
    "phi3": "llama",
}
LONGEST = 2048  # columns of a sequence: several cameras, a prompt and a chunk
_ACTIVATIONS = {"gemma": ("gelu_pytorch_tanh", "gelu"), "phi": ("gelu_new",)}
# key -> value that the family is built with; another one is refused
_FIXED: dict[str, dict[str, Any]] = {
    "qwen2": {},
    "qwen3": {"attention_bias": False},
    "llama": {"attention_bias": False, "mlp_bias": False},
    "gemma": {"attention_bias": False},
    "phi": {"qk_layernorm": False},
    "phi3": {"attention_bias": False},
}
_TIED = {"gemma": True}  # the default of a family where config.json does not say it


def decoder_settings(
    settings: Mapping[str, Any], weights: Mapping[str, Stored], source: str
) -> LanguageModelConfig:
    """Return the configuration of a Hugging Face language model.

    Args:
        settings: the content of its `config.json`.
        weights: its tensors, for the rows of the table.
        source: names the file in messages.

    Raises:
        CheckpointError: another family, a size that is missing, a feature that is not built.
    """
    kind = str(settings.get("model_type"))
    if kind not in FAMILIES:
        raise CheckpointError(
            f"{source}: the language model {kind!r} is not supported; {nearest(kind, FAMILIES)}"
        )
    _refuse_features(settings, kind, source)
    needed = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    for key in needed:
        if key not in settings:
            raise CheckpointError(f"{source}: lacks {key}")
    table = weights.get("model.embed_tokens.weight")
    heads = settings["num_attention_heads"]
    eps = "layer_norm_eps" if kind == "phi" else "rms_norm_eps"
    if eps not in settings:
        raise CheckpointError(f"{source}: lacks {eps}")
    data = {
        "family": FAMILIES[kind],
        "vocabulary_rows": table.shape[0] if table else settings.get("vocab_size"),
        "hidden_size": settings["hidden_size"],
        "layers": settings["num_hidden_layers"],
        "heads": heads,
        "key_value_heads": settings.get("num_key_value_heads") or heads,
        "mlp_size": settings["intermediate_size"],
        "head_dim": settings.get("head_dim"),
        "norm_eps": settings[eps],
        "tie_embeddings": settings.get("tie_word_embeddings", _TIED.get(kind, False)),
        "max_positions": settings.get("max_position_embeddings", 32768),
        **_rope(settings, kind, source),
    }
    return checked(data, source)


def checked(data: dict[str, Any], source: str) -> LanguageModelConfig:
    """Build the configuration.

    Raises:
        CheckpointError: a value that it cannot have.
    """
    try:
        return LanguageModelConfig.model_validate(data)
    except ValidationError as error:
        raise CheckpointError(lines(problems(error, LanguageModelConfig), source)) from error


def _refuse_features(settings: Mapping[str, Any], kind: str, source: str) -> None:
    for key, built in _FIXED[kind].items():
        if settings.get(key, built) not in (built, None):
            raise CheckpointError(f"{source}: {key} {settings[key]}: {kind} is built with {built}")
    window = settings.get("sliding_window")
    if settings.get("use_sliding_window", True) and window is not None and window < LONGEST - 1:
        raise CheckpointError(f"{source}: sliding_window {window}: attention here sees everything")
    names = ("hidden_activation", "hidden_act")
    activation = next((settings[name] for name in names if settings.get(name)), None)
    allowed = _ACTIVATIONS.get(kind, ("silu",))
    if activation not in (None, *allowed):
        raise CheckpointError(f"{source}: activation {activation!r}: {kind} has {allowed[0]!r}")


def _rope(settings: Mapping[str, Any], kind: str, source: str) -> dict[str, Any]:
    """Return the rotary base, share and scaling; other ways to stretch positions are refused."""
    rope = dict(settings.get("rope_parameters") or settings.get("rope_scaling") or {})
    theta = rope.get("rope_theta", settings.get("rope_theta", 10000.0))
    fraction = rope.get("partial_rotary_factor", settings.get("partial_rotary_factor"))
    if kind == "phi" and fraction is None:
        fraction = 0.5
    found: dict[str, Any] = {"rope_theta": theta}
    if fraction not in (None, 1.0):
        found["rotary_fraction"] = fraction
    method = rope.get("rope_type", rope.get("type", "default"))
    if method == "llama3":
        try:
            names = ("factor", "low_freq_factor", "high_freq_factor")
            scaling = {name: rope[name] for name in names}
            scaling["original_max_positions"] = rope["original_max_position_embeddings"]
        except KeyError as error:
            raise CheckpointError(f"{source}: rope_scaling lacks {error.args[0]}") from error
        found["rope_scaling"] = scaling
    elif method not in (None, "default"):
        raise CheckpointError(f"{source}: rope type {method!r} is not built; default or llama3 are")
    return found
