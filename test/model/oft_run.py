# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny run in the layout of OpenVLA-OFT, and its published formulas written down once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from published_layout import native_modules
from safetensors.torch import save_file
from test_import import published, write_openvla
from tiny_model import statistics_entry
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

HIDDEN, ROWS, HEADS, DIM, STOP, BLANK = 32, 32064, 4, 7, 2, 29871


def spread(*shape: int) -> Tensor:
    """Random weights large enough that every input matters."""
    return 0.3 * torch.randn(*shape)


def write_run(
    folder: Path,
    tokenizer: Tokenizer,
    *,
    dim: int = DIM,
    proprio: int = 8,
    head: bool = True,
    ddp: bool = True,
) -> Path:
    """A run with an L1 head; `ddp` prefixes its names as distributed training does."""
    torch.manual_seed(1)
    data = published("llama", "fused-gelu-mlp").model_dump()
    data["language_model"] |= {"vocabulary_rows": ROWS}
    modules = native_modules(type(published("llama", "gelu-mlp")).model_validate(data), spread)
    sizes = {"model_type": "llama", "num_attention_heads": HEADS, "rms_norm_eps": 1e-5}
    write_openvla(folder, modules, text_config=sizes)
    tokenizer.save(str(folder / "tokenizer.json"))
    entry = {"action": statistics_entry(dim)}
    if proprio:
        entry["proprio"] = {k: v for k, v in statistics_entry(proprio).items() if k != "mask"}
    (folder / "dataset_statistics.json").write_text(json.dumps({"libero": entry}))
    front = "module." if ddp else ""
    if head:
        shapes: dict[str, tuple[int, ...]] = {
            "layer_norm1": (dim * HIDDEN,),
            "fc1": (HIDDEN, dim * HIDDEN),
            "mlp_resnet_blocks.0.ffn.0": (HIDDEN,),
            "mlp_resnet_blocks.0.ffn.1": (HIDDEN, HIDDEN),
            "mlp_resnet_blocks.1.ffn.0": (HIDDEN,),
            "mlp_resnet_blocks.1.ffn.1": (HIDDEN, HIDDEN),
            "layer_norm2": (HIDDEN,),
            "fc2": (dim, HIDDEN),
        }
        layers = {f"{front}model.{name}": shape for name, shape in shapes.items()}
        save_layers(layers, folder / "action_head--150000_checkpoint.pt")
    if proprio:
        layers = {f"{front}fc1": (HIDDEN, proprio), f"{front}fc2": (HIDDEN, HIDDEN)}
        save_layers(layers, folder / "proprio_projector--150000_checkpoint.pt")
    return folder


def save_layers(layers: dict[str, tuple[int, ...]], file: Path) -> None:
    """Write a weight and a bias for each layer."""
    tensors = {}
    for name, shape in layers.items():
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = spread(*shape), spread(shape[0])
    torch.save(tensors, file)


def as_adapters(run: Path, base: Path, rank: int = 4, alpha: int = 16) -> dict[str, Tensor]:
    """Move the merged weights of a run to `base`, and leave adapters on them in the run.

    Returns:
        The weights that base and adapters amount to, by their published names.
    """
    base.mkdir()
    for file in [*run.glob("model*"), run / "config.json"]:
        file.rename(base / file.name)
    weights = folder_tensors(base)
    names = [n for n in weights if n.endswith((".q_proj.weight", ".attn.qkv.weight", "fc2.weight"))]
    adapter = {}
    for name in names:
        up, down = spread(weights[name].shape[0], rank), spread(rank, weights[name].shape[1])
        module = f"base_model.model.{name.removesuffix('.weight')}"
        adapter |= {f"{module}.lora_A.weight": down, f"{module}.lora_B.weight": up}
        weights[name] = weights[name] + alpha / rank * (up @ down)
    (run / "lora_adapter").mkdir()
    save_file(adapter, run / "lora_adapter" / "adapter_model.safetensors")
    settings: dict[str, Any] = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "bias": "none"}
    (run / "lora_adapter" / "adapter_config.json").write_text(json.dumps(settings))
    return weights


def folder_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of the safetensors of a folder."""
    from safetensors.torch import load_file

    found: dict[str, Tensor] = {}
    for file in folder.glob("*.safetensors"):
        found |= load_file(file)
    return found


def published_answer(
    weights: dict[str, Tensor],
    run: Path,
    patches: Tensor,
    ids: Tensor,
    proprio: Tensor | None,
    chunk: int,
    dim: int = DIM,
) -> Tensor:
    """The normalised chunk [K, D] as modeling_prismatic.py and action_heads.py compute it.

    Args:
        weights: the merged weights by their published names.
        run: holds the head and the proprioception layer.
        patches: [cameras * patches, V], what the towers give.
        ids: [T] prompt, from the beginning of the text to the blank behind the colon.
        proprio: [P] normalised.
        chunk: K.
        dim: D.
    """
    features = patches
    for name in ("fc1", "fc2", "fc3"):
        layer = weights[f"projector.{name}.weight"], weights[f"projector.{name}.bias"]
        features = functional.linear(
            functional.gelu(features) if name != "fc1" else features, *layer
        )
    if proprio is not None:
        own = bare(run / "proprio_projector--150000_checkpoint.pt")
        hidden = functional.gelu(functional.linear(proprio, own["fc1.weight"], own["fc1.bias"]))
        token = functional.linear(hidden, own["fc2.weight"], own["fc2.bias"])
        features = torch.cat([features, token[None]])
    llama = language_model(weights)
    table = llama.get_input_embeddings().weight
    slots = torch.zeros(chunk * dim, HIDDEN)
    text = table[ids]
    sequence = torch.cat([text[:1], features, text[1:], slots, table[[STOP]]])[None]
    everything = torch.zeros(1, 1, sequence.shape[1], sequence.shape[1])  # additive: all is seen
    output = llama(
        inputs_embeds=sequence, attention_mask=everything, output_hidden_states=True,
        position_ids=torch.arange(sequence.shape[1])[None],
    )  # fmt: skip
    start = len(features) + len(ids) - 1
    states = output.hidden_states[-1][0, start : start + chunk * dim]
    file = run / "action_head--150000_checkpoint.pt"
    if not file.is_file():
        return output.logits[0, start : start + chunk * dim].unflatten(0, (chunk, dim))
    head = {k.removeprefix("model."): t for k, t in bare(file).items()}
    hidden = normed(states.reshape(chunk, -1), head, "layer_norm1")
    hidden = torch.relu(functional.linear(hidden, head["fc1.weight"], head["fc1.bias"]))
    for block in ("mlp_resnet_blocks.0.ffn", "mlp_resnet_blocks.1.ffn"):
        inner = normed(hidden, head, f"{block}.0")
        inner = functional.linear(inner, head[f"{block}.1.weight"], head[f"{block}.1.bias"])
        hidden = hidden + torch.relu(inner)
    hidden = normed(hidden, head, "layer_norm2")
    return functional.linear(hidden, head["fc2.weight"], head["fc2.bias"])


def bare(file: Path) -> dict[str, Tensor]:
    """The tensors of a part, without the prefix of distributed training."""
    loaded = torch.load(file, weights_only=True)
    return {name.removeprefix("module."): tensor for name, tensor in loaded.items()}


def normed(hidden: Tensor, tensors: dict[str, Tensor], name: str) -> Tensor:
    """LayerNorm of the last axis."""
    weight = tensors[f"{name}.weight"]
    return functional.layer_norm(hidden, weight.shape, weight, tensors[f"{name}.bias"])


def language_model(weights: dict[str, Tensor]) -> LlamaForCausalLM:
    """Transformers' own Llama with the weights of a run."""
    llm = {
        k.removeprefix("language_model."): t
        for k, t in weights.items()
        if k.startswith("language_model.")
    }
    layers = 1 + max(int(key.split(".")[2]) for key in llm if key.startswith("model.layers."))
    config = LlamaConfig(
        vocab_size=ROWS,
        hidden_size=HIDDEN,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=llm["model.layers.0.self_attn.k_proj.weight"].shape[0]
        // (HIDDEN // HEADS),
        intermediate_size=llm["model.layers.0.mlp.gate_proj.weight"].shape[0],
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 1e4},
        tie_word_embeddings=False,
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(config).eval()
    model.load_state_dict(llm)
    return model
