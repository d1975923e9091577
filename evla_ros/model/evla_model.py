# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The EVLA network: images, prompt and action slots through one decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.attention_mask import MASK_RULES, PrefixRule, SlotRule, additive, visible
from evla_ros.model.backbone import VisionBackbone
from evla_ros.model.config import EvlaConfig
from evla_ros.model.device_constant import DeviceConstant
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.heads import L1Head
from evla_ros.model.language_model import LanguageModel
from evla_ros.model.model_input import JointOutput, ModelInput
from evla_ros.model.prefix import Prefix, assemble
from evla_ros.model.projector import Projector


class EvlaModel(nn.Module):
    """Backbones, projector, language model, slot embeddings and heads of one `EvlaConfig`."""

    def __init__(self, config: EvlaConfig, attention: str = "sdpa") -> None:
        super().__init__()
        self.config = config
        self.backbones = nn.ModuleList(
            VisionBackbone(backbone, config.image.size, attention) for backbone in config.backbones
        )
        width = config.language_model.hidden_size
        self.projector = Projector(config.projector, config.vision_width, width)
        self.language_model = LanguageModel(config.language_model, attention)
        self.slot_embedding = nn.Parameter(0.02 * torch.randn(config.action.slots, width))
        if config.proprio_dim:
            inputs = config.proprio_dim // config.arms
            self.proprio = nn.Sequential(
                nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width)
            )
            if config.arms > 1:
                self.arm_embedding = nn.Parameter(0.3 * torch.randn(config.arms, width))
                self._arm_columns = DeviceConstant(config.arm_columns, torch.long)
        if "l1" in config.action.heads:
            action = config.action
            self.l1_head = L1Head(width, action.dim, action.l1_width, config.arms)
        self.action_tokenizer = ActionTokenizer(config.action.vocabulary_size, config.action.bins)

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the language model's residual stream."""
        return self.slot_embedding.dtype

    def encode_images(self, images: Tensor) -> Tensor:
        """Fused patch features [B, cameras * patches, V] of images [B, cameras, 3, S, S].

        Images are uint8, or float in [0, 1].
        """
        flat = images.flatten(0, 1)
        flat = flat.float() / 255 if flat.dtype == torch.uint8 else flat.float()
        fused = torch.cat([backbone(flat) for backbone in self.backbones], dim=-1)
        return fused.unflatten(0, images.shape[:2]).flatten(1, 2)

    def encode_proprio(self, proprio: Tensor) -> Tensor:
        """Tokens [B, arms, hidden] of normalised proprioception vectors [B, P]."""
        if self.config.arms == 1:
            proprio = proprio[:, None]
        else:
            proprio = proprio[:, self._arm_columns.on(proprio.device)]  # [B, arms, P / arms]
        tokens: Tensor = self.proprio(proprio)
        return tokens if self.config.arms == 1 else tokens + self.arm_embedding

    def forward_joint(self, batch: ModelInput) -> JointOutput:
        """ONE forward over prefix and K*D constant slots: every action number at once."""
        prefix = assemble(self, batch)
        slots = self.slot_embedding.to(prefix.dtype).expand(*prefix.text_lengths.shape, -1, -1)
        states = self.run(prefix, slots, *MASK_RULES[self.config.action.mask])
        columns = prefix.slot_columns(slots.shape[2])
        return self._output(prefix, states, states[:, columns], batch.input_ids.dim() == 2)

    def forward_tokens(
        self,
        batch: ModelInput,
        action_ids: Tensor,  # [B, (R,) N] ids fed at the slots
        slot_rule: SlotRule = "causal",
    ) -> Tensor:
        """Teacher-forced logits [B, (R,) N, bins]: entry k predicts action k from ids before k.

        `causal` is OpenVLA's autoregressive training; `hidden` the published EVLA mask. Raises
        ModelConfigError for a network without a token head.
        """
        logits = self.forward_taught(batch, action_ids, slot_rule).logits
        if logits is None:
            raise ModelConfigError("this network has no token head; it answers with its L1 head")
        return logits

    def forward_taught(
        self, batch: ModelInput, action_ids: Tensor, slot_rule: SlotRule = "causal"
    ) -> JointOutput:
        """What `forward_tokens` runs, with the states that its logits and training losses read."""
        squeeze = action_ids.dim() == 2
        ids = action_ids[:, None] if squeeze else action_ids
        prefix = assemble(self, batch)
        states = self.run(prefix, self.language_model.embed(ids), self.prefix_rule, slot_rule)
        return self._output(prefix, states, prefix.shifted_states(states, ids.shape[2]), squeeze)

    def run(
        self, prefix: Prefix, slots: Tensor, prefix_rule: PrefixRule, slot_rule: SlotRule
    ) -> Tensor:
        """Hidden states [B, S, hidden] of a prefix with slot inputs [B, R, N, hidden]."""
        layout = prefix.layout(slots.shape[2])
        mask = additive(visible(layout, prefix_rule, slot_rule), prefix.dtype)
        return self.language_model(prefix.embeddings(slots), mask, layout.position)

    def action_logits(self, states: Tensor) -> Tensor:
        """Logits over the action rows only, [..., bins]."""
        tokenizer = self.action_tokenizer
        return self.language_model.logits(states, tokenizer.first_id, tokenizer.bins)

    @property
    def prefix_rule(self) -> PrefixRule:
        """How the prefix attends; shared by joint and autoregressive decoding."""
        return MASK_RULES[self.config.action.mask][0]

    def _output(self, prefix: Prefix, states: Tensor, slots: Tensor, squeeze: bool) -> JointOutput:
        heads = self.config.action.heads
        text = states[:, prefix.text_columns(slots.shape[2])]
        logits = self.action_logits(slots) if "tokens" in heads else None
        actions = self.l1_head(slots) if "l1" in heads else None
        if squeeze:
            slots, text = slots[:, 0], text[:, 0]
            logits = logits if logits is None else logits[:, 0]
            actions = actions if actions is None else actions[:, 0]
        image = states[:, 1 : 1 + prefix.patch_features.shape[1]]
        return JointOutput(logits, actions, slots, prefix.patch_features, image, text)
