# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the `config.json` of a Prismatic run says about its weights, beyond their shapes.

A run names its language model by an id, or its base model by another one that stands for it; the
ids and what they mean are those of the published code (openvla, openvla-mini, evla).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evla_ros.errors import nearest
from evla_ros.model.config import PUBLISHED_TEMPLATE
from evla_ros.model.errors import CheckpointError
from evla_ros.reading.text_files import read_json_object

QWEN_TEXT, QWEN_EXTRA, LLAMA_TEXT = 151643, 151921, 32000
CHAT_TEMPLATE = (
    "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
    "<|im_end|>\n<|im_start|>user\nWhat action should the robot take to {instruction}?<|im_end|>\n"
    "<|im_start|>assistant\n"
)
VICUNA_TEMPLATE = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions. "
    "USER: What action should the robot take to {instruction}? ASSISTANT:"
)
_QWEN2 = {"type": "qwen2", "num_attention_heads": 14, "rope_theta": 1e6, "rms_norm_eps": 1e-6}
_LLAMA2 = {"type": "llama", "num_attention_heads": 32, "rope_theta": 1e4, "rms_norm_eps": 1e-5}


@dataclass(frozen=True)
class TextSettings:
    """One published language model: its sizes beyond shapes, its prompt, its text ids.

    sizes: for `infer_config`. tokens: ids below this are text or tail action tokens.
    """

    sizes: Mapping[str, Any]
    template: str
    prefix_ids: tuple[int, ...]
    suffix_ids: tuple[int, ...]
    tokens: int


_EVLA = TextSettings(_QWEN2, PUBLISHED_TEMPLATE, (), (220,), QWEN_TEXT)
_CHAT = TextSettings(_QWEN2, CHAT_TEMPLATE, (), (), QWEN_TEXT)
_OPENVLA = TextSettings(_LLAMA2, PUBLISHED_TEMPLATE, (1,), (29871,), LLAMA_TEXT)
_VICUNA = TextSettings(_LLAMA2, VICUNA_TEMPLATE, (1,), (29871,), LLAMA_TEXT)
LANGUAGE_MODELS = {
    "qwen": _EVLA,
    "qwen2-0_5b": _EVLA,
    "qwen25-0_5b-pure": _CHAT,
    "qwen25-0_5b-extra": _CHAT,
    "llama2-7b-pure": _OPENVLA,
    "vicuna-v15-7b": _VICUNA,
}
_BASES = {
    "qwen": "qwen",
    "prism-dinosiglip-224px+7b": "llama2-7b-pure",
    "prism-dinosiglip-224px-controlled+7b": "llama2-7b-pure",
    "siglip-224px+7b": "vicuna-v15-7b",
    "prism-qwen25-dinosiglip-224px+0_5b": "qwen25-0_5b-pure",
    "prism-qwen25-extra-dinosiglip-224px+0_5b": "qwen25-0_5b-extra",
}


@dataclass(frozen=True)
class Run:
    """What a run says.

    Attributes:
        known: for `infer_config`.
        text: its language model; None when the run does not say it.
        resize: how pictures become squares; None when the run does not say it. Runs of phase 2
            saw pictures that their loader had squashed to squares before, whatever they name.
    """

    known: Mapping[str, Any] = field(default_factory=dict)
    text: TextSettings | None = None
    resize: str | None = None


def read_run(checkpoint: Path) -> Run:
    """Read the `config.json` of a run, beside its `.pt` or above the folder `checkpoints`.

    Raises:
        CheckpointError: it names a model, an action tokenizer or an input that is not supported.
    """
    folders = (checkpoint.parent, checkpoint.parent.parent)
    file = next((f / "config.json" for f in folders if (f / "config.json").is_file()), None)
    if file is None:
        return Run()
    settings = read_json_object(file, CheckpointError)
    vla, model = _mapping(settings, "vla", file), _mapping(settings, "model", file)
    base = str(vla.get("base_vlm", ""))
    name = str(model.get("llm_backbone_id") or _BASES.get(base, ""))
    if base and not name:
        raise CheckpointError(
            f"{file}: vla.base_vlm {base!r} is not known; {nearest(base, _BASES)}"
        )
    if not name:
        return Run()
    text = language_model(name, str(file))
    known: dict[str, Any] = {"llm": dict(text.sizes)}
    known["action_vocab_size"] = _action_vocabulary(vla, text, file)
    _refuse_inputs(vla, file)
    strategy = "resize-naive" if base else str(model.get("image_resize_strategy", "resize-naive"))
    return Run(known, text, resize_of(strategy, str(file)))


def language_model(name: str, source: str) -> TextSettings:
    """Return what a published id of a language model stands for.

    Raises:
        CheckpointError: the id is not known.
    """
    if name not in LANGUAGE_MODELS:
        raise CheckpointError(
            f"{source}: the language model {name!r} is not known; {nearest(name, LANGUAGE_MODELS)}"
        )
    return LANGUAGE_MODELS[name]


def resize_of(strategy: str, source: str) -> str:
    """Return our name of a published resize strategy.

    Raises:
        CheckpointError: it is another one.
    """
    names = {"resize-naive": "squash", "letterbox": "letterbox"}
    if strategy not in names:
        raise CheckpointError(
            f"{source}: image_resize_strategy {strategy!r} is not supported; "
            f"{nearest(strategy, names)}"
        )
    return names[strategy]


def _action_vocabulary(vla: Mapping[str, Any], text: TextSettings, file: Path) -> int:
    name = str(vla.get("action_tokenizer", "action_tokenizer"))
    if name == "action_tokenizer":
        return text.tokens
    if name == "extra_action_tokenizer":
        return QWEN_EXTRA
    raise CheckpointError(
        f"{file}: vla.action_tokenizer {name!r} (actions coded by another network) is not "
        "supported; action_tokenizer and extra_action_tokenizer are"
    )


def _refuse_inputs(vla: Mapping[str, Any], file: Path) -> None:
    if vla.get("use_wrist_image"):
        raise CheckpointError(f"{file}: vla.use_wrist_image: a second camera is not supported")
    if int(vla.get("image_sequence_len", 1) or 1) > 1:
        raise CheckpointError(f"{file}: vla.image_sequence_len: several pictures are not supported")


def _mapping(settings: Mapping[str, Any], key: str, file: Path) -> Mapping[str, Any]:
    found = settings.get(key) or {}
    if not isinstance(found, Mapping):
        raise CheckpointError(f"{file}: {key} is no mapping")
    return found
