# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The EVLA network: images, prompt and action slots through one decoder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.attention_mask import (
    MASK_RULES,
    ONE_INSTRUCTION,
    PrefixRule,
    SlotRule,
    additive,
    visible,
)
from evla_ros.model.backbone import VisionBackbone
from evla_ros.model.config import EvlaConfig
from evla_ros.model.device_constant import DeviceConstant
from evla_ros.model.errors import ModelConfigError, ObservationError
from evla_ros.model.heads import L1Head
from evla_ros.model.language_model import LanguageModel
from evla_ros.model.model_input import JointOutput, ModelInput
from evla_ros.model.prefix import Prefix
from evla_ros.model.projector import Projector
from evla_ros.model.text_loss import text_loss

T = TypeVar("T")


class EvlaModel(nn.Module):
    """Backbones, projector, language model, slot embeddings and heads of one `EvlaConfig`.

    Args:
        config: the architecture.
        attention: the attention kernel of transformers, `sdpa` or `eager`.
        empty: parts, such as `backbones` or `slot_embedding`, whose weights are brought by the
            caller: they are on the device `meta`, and no numbers are drawn for them.
    """

    def __init__(
        self, config: EvlaConfig, attention: str = "sdpa", empty: Collection[str] = ()
    ) -> None:
        super().__init__()
        self.config = config

        def part(name: str) -> contextlib.AbstractContextManager[Any]:
            return torch.device("meta") if name in empty else contextlib.nullcontext()

        with part("backbones"):
            towers = (VisionBackbone(b, config.image.size, attention) for b in config.backbones)
            self.backbones = nn.ModuleList(towers)
        width = config.language_model.hidden_size
        with part("projector"):
            self.projector = Projector(config.projector, config.vision_width, width)
        with part("language_model"):
            self.language_model = LanguageModel(config.language_model, attention)
        with part("slot_embedding"):
            self.slot_embedding = nn.Parameter(0.02 * torch.randn(config.action.slots, width))
        if config.proprio_dim:
            inputs = config.proprio_dim // config.arms
            with part("proprio"):
                layers = (nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width))
                self.proprio = nn.Sequential(*layers)
            if config.arms > 1:
                with part("arm_embedding"):
                    self.arm_embedding = nn.Parameter(0.3 * torch.randn(config.arms, width))
                self._arm_columns = DeviceConstant(config.arm_columns, torch.long)
        if "l1" in config.action.heads:
            action = config.action
            with part("l1_head"):
                self.l1_head = L1Head(width, action.dim, action.l1_width, config.arms)
        self._end_ids = DeviceConstant(config.action.end_ids, torch.long)
        self.action_tokenizer = ActionTokenizer(config.action.vocabulary_size, config.action.bins)

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the language model's residual stream."""
        return self.slot_embedding.dtype

    def blocks(self) -> Iterator[nn.Module]:
        """Yield the transformer blocks of the towers, then those of the decoder."""
        for backbone in self.backbones:
            yield from backbone.get_submodule("blocks").children()
        yield from self.language_model.body.get_submodule("layers").children()

    def forward(self, work: Callable[..., T], *inputs: Any) -> T:
        """Return `work(self, *inputs)`, as one forward of the network.

        What uses its parts in any other way than by `forward_joint` and `forward_taught` goes
        through here, because the weights of a sharded network are whole inside a forward only.
        """
        return work(self, *inputs)

    def encode_images(self, images: Tensor) -> Tensor:
        """Return fused patch features [B, cameras * patches, V] of images [B, cameras, 3, S, S].

        Images are uint8, or float in [0, 1]. They may have 3 channels for every tower, one picture
        behind another: a letterbox has the border that its tower was trained with.
        """
        flat = images.flatten(0, 1)
        flat = flat.float() / 255 if flat.dtype == torch.uint8 else flat.float()
        own = flat.split(3, dim=1) if flat.shape[1] > 3 else [flat] * len(self.backbones)
        towers = zip(self.backbones, own, strict=True)
        fused = torch.cat([backbone(pictures) for backbone, pictures in towers], dim=-1)
        return fused.unflatten(0, images.shape[:2]).flatten(1, 2)

    def encode_proprio(self, proprio: Tensor) -> Tensor:
        """Return the tokens [B, arms, hidden] of normalised proprioception vectors [B, P]."""
        if self.config.arms == 1:
            proprio = proprio[:, None]
        else:
            proprio = proprio[:, self._arm_columns.on(proprio.device)]  # [B, arms, P / arms]
        tokens: Tensor = self.proprio(proprio)
        return tokens if self.config.arms == 1 else tokens + self.arm_embedding

    def assemble(self, batch: ModelInput) -> Prefix:
        """Embed a batch up to its action slots: images (or their cached features), proprio, text.

        Raises:
            ObservationError: the batch lacks images or the proprioception that the network takes.
            ModelConfigError: several instructions a picture, which the mask does not allow.
        """
        ids, lengths = batch.input_ids, batch.text_lengths  # [B, (R,) T], [B, (R)]
        ids = ids[:, None] if ids.dim() == 2 else ids
        lengths = lengths[:, None] if lengths.dim() == 1 else lengths
        mask = self.config.action.mask
        if ids.shape[1] > 1 and mask in ONE_INSTRUCTION:
            raise ModelConfigError(
                f"with the mask {mask} a picture sees its instruction, so it takes one; the "
                f"batch has {ids.shape[1]}: use block_prefix_lm, or data.instructions: 1"
            )
        features = self._patch_features(batch)
        text = self.language_model.embed(ids)
        blocks = [text[:, 0, :1], self.projector(features.to(self.dtype)).to(text.dtype)]
        if self.config.proprio_dim:
            if batch.proprio is None:
                raise ObservationError(
                    f"the model takes {self.config.proprio_dim} proprioception numbers; "
                    "there are none"
                )
            blocks.append(self.encode_proprio(batch.proprio.to(self.dtype)).to(text.dtype))
        shared = torch.cat(blocks, dim=1)
        absent = None if batch.image_counts is None else self._absent(batch.image_counts, shared)
        return Prefix(shared, text[:, :, 1:], lengths, features, absent)

    def _absent(self, counts: Tensor, shared: Tensor) -> Tensor:
        """Return which columns of the shared block [B, columns] are of pictures beyond `counts`."""
        after = self.config.arms if self.config.proprio_dim else 0
        patch = torch.arange(shared.shape[1], device=shared.device) - 1
        picture = patch // self.config.patches_per_camera
        of_patch = (patch >= 0) & (patch < shared.shape[1] - 1 - after)
        return of_patch & (picture >= counts.to(shared.device)[:, None])

    def _patch_features(self, batch: ModelInput) -> Tensor:
        if batch.patch_features is not None:
            return batch.patch_features
        if batch.images is None:
            raise ObservationError("a batch needs images or patch_features; it has neither")
        return self.encode_images(batch.images)

    def forward_joint(self, batch: ModelInput) -> JointOutput:
        """Return every action number from one forward over the prefix and K * D constant slots."""
        prefix, action = self.assemble(batch), self.config.action
        inputs = self.slot_inputs().to(prefix.dtype).expand(*prefix.text_lengths.shape, -1, -1)
        states = self.run(prefix, inputs, *MASK_RULES[action.mask])
        columns = inputs.shape[2]
        if action.readout == "previous":
            slots = prefix.shifted_states(states, columns)[:, :, : action.slots]
        else:
            slots = states[:, prefix.slot_columns(columns)[:, : action.slots]]
        return self._output(prefix, states, slots, columns, batch.input_ids.dim() == 2)

    def slot_inputs(self) -> Tensor:
        """Return what is fed behind the prompt: a constant for each slot, then the end tokens."""
        end_ids = self.config.action.end_ids
        if not end_ids:
            return self.slot_embedding
        ids = self._end_ids.on(self.slot_embedding.device)
        return torch.cat([self.slot_embedding, self.language_model.embed(ids)])

    def forward_tokens(
        self,
        batch: ModelInput,
        action_ids: Tensor,  # [B, (R,) N] ids fed at the slots
        slot_rule: SlotRule = "causal",
    ) -> Tensor:
        """Return the logits of teacher-forced actions: entry k predicts id k from those before it.

        Args:
            batch: B samples with R instructions each.
            action_ids: [B, (R,) N] the true ids, fed at the slots.
            slot_rule: `causal` as OpenVLA trains, or `hidden` as published EVLA was trained.

        Returns:
            [B, (R,) N, bins].

        Raises:
            ModelConfigError: the network has no token head.
        """
        logits = self.forward_taught(batch, action_ids, slot_rule).logits
        if logits is None:
            raise ModelConfigError("this network has no token head; it answers with its L1 head")
        return logits

    def forward_taught(
        self, batch: ModelInput, action_ids: Tensor, slot_rule: SlotRule = "causal"
    ) -> JointOutput:
        """Return all that a teacher-forced forward gives; arguments as of `forward_tokens`."""
        squeeze = action_ids.dim() == 2
        ids = action_ids[:, None] if squeeze else action_ids
        prefix = self.assemble(batch)
        states = self.run(prefix, self.language_model.embed(ids), self.prefix_rule, slot_rule)
        slots = prefix.shifted_states(states, ids.shape[2])
        return self._output(prefix, states, slots, ids.shape[2], squeeze)

    def forward_text(self, batch: ModelInput, learned: Tensor, rows: int) -> tuple[Tensor, Tensor]:
        """Return the loss of answers in text: each token from all before it, strictly causal.

        Args:
            batch: B samples with one text each, ids [B, T].
            learned: boolean [B, T], True for the tokens of answers; token 0 never is.
            rows: how many ids may be a token of text, from 0 on.

        Returns:
            The sum of the cross-entropies, and how many learned tokens are the likeliest ones.
        """
        prefix = self.assemble(batch)
        nothing = prefix.shared.new_zeros(len(prefix.shared), 1, 0, prefix.shared.shape[-1])
        states = self.run(prefix, nothing, "causal", "causal")
        first = torch.take_along_dim(states, prefix.last_shared[:, None, None], dim=1)
        before = torch.cat([first, states[:, prefix.shared.shape[1] : -1]], dim=1)  # [B, T - 1, h]
        mask = learned[:, 1:]
        return text_loss(self.language_model, before[mask], batch.input_ids[:, 1:][mask], rows)

    def run(
        self, prefix: Prefix, slots: Tensor, prefix_rule: PrefixRule, slot_rule: SlotRule
    ) -> Tensor:
        """Return hidden states [B, S, hidden] of a prefix with slot inputs [B, R, N, hidden]."""
        embeddings = prefix.embeddings(slots)
        causal = prefix_rule == slot_rule == "causal" and prefix.is_unbroken(slots.shape[2])
        if causal and self.language_model.is_causal_without_mask:
            columns = torch.arange(embeddings.shape[1], device=embeddings.device)
            return self.language_model(embeddings, None, columns[None])
        layout = prefix.layout(slots.shape[2])
        mask = additive(visible(layout, prefix_rule, slot_rule), prefix.dtype)
        return self.language_model(embeddings, mask, layout.position)

    def action_logits(self, states: Tensor) -> Tensor:
        """Return logits [..., bins] over the action tokens only."""
        tokenizer = self.action_tokenizer
        return self.language_model.logits(states, tokenizer.first_id, tokenizer.bins)

    @property
    def prefix_rule(self) -> PrefixRule:
        """How the prefix attends; shared by joint and autoregressive decoding."""
        return MASK_RULES[self.config.action.mask][0]

    def _output(
        self, prefix: Prefix, states: Tensor, slots: Tensor, columns: int, squeeze: bool
    ) -> JointOutput:
        """Apply the heads to the states of the slots; `columns` follow each prompt."""
        heads = self.config.action.heads
        text = states[:, prefix.text_columns(columns)]
        logits = self.action_logits(slots) if "tokens" in heads else None
        actions = self.l1_head(slots) if "l1" in heads else None
        if squeeze:
            slots, text = slots[:, 0], text[:, 0]
            logits = logits if logits is None else logits[:, 0]
            actions = actions if actions is None else actions[:, 0]
        image = states[:, 1 : 1 + prefix.patch_features.shape[1]]
        return JointOutput(logits, actions, slots, prefix.patch_features, image, text)
