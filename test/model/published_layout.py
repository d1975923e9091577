# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic checkpoints in the exact published key layout.

Written down from the published shapes.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from evla_ros.model.config import BackboneConfig, EvlaConfig, LanguageModelConfig

Make = Callable[..., Tensor]


def native_modules(config: EvlaConfig, make: Make) -> dict[str, dict[str, Tensor]]:
    """`vision_backbone`, `projector`, `llm_backbone` with the keys of a Prismatic `.pt`."""
    patches = config.patches_per_camera
    names = {"dinov2": "dino_featurizer", "siglip": "siglip_featurizer"}
    vision: dict[str, Tensor] = {}
    for tower in config.backbones:
        name = names[tower.kind] if len(config.backbones) > 1 else "featurizer"
        vision |= {f"{name}.{k}": t for k, t in _tower(tower, patches, make).items()}
    llm = {f"llm.{k}": t for k, t in _language_model(config.language_model, make).items()}
    widths = [config.vision_width, *[config.language_model.hidden_size] * 2]
    if config.projector == "fused-gelu-mlp":
        widths.insert(1, 4 * config.vision_width)
    projector: dict[str, Tensor] = {}
    for index in range(len(widths) - 1):
        projector[f"projector.{2 * index}.weight"] = make(widths[index + 1], widths[index])
        projector[f"projector.{2 * index}.bias"] = make(widths[index + 1])
    return {"vision_backbone": vision, "projector": projector, "llm_backbone": llm}


def openvla_tensors(modules: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    """The same tensors under the names of the Hugging Face port."""
    renames = {"0": "fc1", "2": "fc2", "4": "fc3"}
    tensors: dict[str, Tensor] = {}
    for key, tensor in modules["vision_backbone"].items():
        name = key.replace("dino_featurizer", "vision_backbone.featurizer")
        name = name.replace("siglip_featurizer", "vision_backbone.fused_featurizer")
        tensors[name.replace("gamma", "scale_factor")] = tensor
    for key, tensor in modules["projector"].items():
        _, layer, kind = key.split(".")
        tensors[f"projector.{renames[layer]}.{kind}"] = tensor
    for key, tensor in modules["llm_backbone"].items():
        tensors[key.replace("llm.", "language_model.", 1)] = tensor
    return tensors


def _linear(out: int, into: int, name: str, make: Make) -> dict[str, Tensor]:
    return {f"{name}.weight": make(out, into), f"{name}.bias": make(out)}


def _norm(width: int, name: str, make: Make) -> dict[str, Tensor]:
    return {f"{name}.weight": make(width), f"{name}.bias": make(width)}


def _tower(config: BackboneConfig, patches: int, make: Make) -> dict[str, Tensor]:
    width, mlp, patch = config.hidden_size, config.mlp_size, config.patch_size
    is_dino = config.kind == "dinov2"
    tower = {
        "pos_embed": make(1, patches, width),
        "patch_embed.proj.weight": make(width, 3, patch, patch),
        "patch_embed.proj.bias": make(width),
        **_norm(width, "norm", make),
    }
    if is_dino:
        tower["cls_token"] = make(1, 1, width)
        tower["reg_token"] = make(1, config.register_tokens, width)
    else:
        tower["attn_pool.latent"] = make(1, 1, width)
        tower |= _norm(width, "attn_pool.norm", make)
        pool = {"q": (width, width), "kv": (2 * width, width), "proj": (width, width)}
        for name, (out, into) in {**pool, "mlp.fc1": (mlp, width), "mlp.fc2": (width, mlp)}.items():
            tower |= _linear(out, into, f"attn_pool.{name}", make)
    for index in range(config.depth):
        block = f"blocks.{index}"
        tower |= _norm(width, f"{block}.norm1", make) | _norm(width, f"{block}.norm2", make)
        tower |= _linear(3 * width, width, f"{block}.attn.qkv", make)
        tower |= _linear(width, width, f"{block}.attn.proj", make)
        tower |= _linear(mlp, width, f"{block}.mlp.fc1", make)
        tower |= _linear(width, mlp, f"{block}.mlp.fc2", make)
        if is_dino:
            tower |= {f"{block}.ls1.gamma": make(width), f"{block}.ls2.gamma": make(width)}
    return tower


def _language_model(config: LanguageModelConfig, make: Make) -> dict[str, Tensor]:
    width, mlp = config.hidden_size, config.mlp_size
    head_dim = width // config.heads
    table = make(config.vocabulary_rows, width)
    tensors = {"model.embed_tokens.weight": table, "model.norm.weight": make(width)}
    for index in range(config.layers):
        layer = f"model.layers.{index}"
        for name, heads in (
            ("q", config.heads),
            ("k", config.key_value_heads),
            ("v", config.key_value_heads),
        ):
            tensors[f"{layer}.self_attn.{name}_proj.weight"] = make(heads * head_dim, width)
            if config.family == "qwen2":
                tensors[f"{layer}.self_attn.{name}_proj.bias"] = make(heads * head_dim)
        tensors[f"{layer}.self_attn.o_proj.weight"] = make(width, config.heads * head_dim)
        tensors[f"{layer}.mlp.gate_proj.weight"] = make(mlp, width)
        tensors[f"{layer}.mlp.up_proj.weight"] = make(mlp, width)
        tensors[f"{layer}.mlp.down_proj.weight"] = make(width, mlp)
        tensors[f"{layer}.input_layernorm.weight"] = make(width)
        tensors[f"{layer}.post_attention_layernorm.weight"] = make(width)
    tied = config.tie_embeddings
    tensors["lm_head.weight"] = table if tied else make(config.vocabulary_rows, width)
    return tensors
