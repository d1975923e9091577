# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a prompt gives to the decoder: embeddings, attention mask, rotary angles; kept by prompt.

None of it depends on the images, so a robot that repeats its instruction computes it once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evla_ros.model.attention_mask import MASK_RULES, visible
from evla_ros.model.config import EvlaConfig
from evla_ros.model.language_model import LanguageModel
from evla_ros.model.slots import build_layout

KEPT_PROMPTS = 32
UNSEEN = -3e4  # a forbidden pair's score; every number format of a runtime holds it
Floats = NDArray[np.float32]


class PromptInputs(NamedTuple):
    """Of B samples; S = shared columns + T - 1 + action slots.

    Attributes:
        text: [B, T, hidden] embeddings of the padded prompt ids.
        mask: [B, 1, S, S] additive.
        cosines: [B, S, rotary channels].
        sines: of the same shape.
    """

    text: Floats
    mask: Floats
    cosines: Floats
    sines: Floats


class PromptTable:
    """Makes `PromptInputs` for one network."""

    def __init__(self, config: EvlaConfig, rows: Callable[[NDArray[np.int64]], Floats]) -> None:
        """Take what they are made of.

        Args:
            config: of the network.
            rows: returns the embeddings [..., hidden] of token ids [...].
        """
        self.config = config
        self._rows = rows
        self._rotary = rotary_of(config)
        self._kept: OrderedDict[bytes, PromptInputs] = OrderedDict()

    @property
    def shared_columns(self) -> int:
        """Columns before the text: token 0, patches, proprio tokens."""
        config = self.config
        patches = len(config.image.cameras) * config.patches_per_camera
        return 1 + patches + (config.arms if config.proprio_dim else 0)

    @torch.inference_mode()
    def __call__(self, ids: Tensor, lengths: Tensor) -> PromptInputs:
        """Return the inputs of a batch of prompts.

        Args:
            ids: [B, T] padded on the right.
            lengths: [B] ids of each prompt.
        """
        key = ids.numpy().tobytes() + lengths.numpy().tobytes()
        if key not in self._kept:
            self._kept[key] = self._made(ids, lengths)
            if len(self._kept) > KEPT_PROMPTS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _made(self, ids: Tensor, lengths: Tensor) -> PromptInputs:
        action = self.config.action
        after = action.slots + len(action.end_ids)
        layout = build_layout(lengths[:, None], ids.shape[1], self.shared_columns, after)
        allowed = visible(layout, *MASK_RULES[action.mask])
        mask = torch.zeros(allowed.shape).masked_fill_(~allowed, UNSEEN)[:, None]
        cosines, sines = self._rotary(mask, layout.position)
        text = self._rows(ids.numpy())
        return PromptInputs(text, mask.numpy(), cosines.numpy(), sines.numpy())


def rotary_of(config: EvlaConfig) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return what gives the cosines and sines [B, S, channels] of positions [B, S]."""
    one_layer = config.language_model.model_copy(update={"layers": 1})
    with torch.device("meta"):
        language_model = LanguageModel(one_layer)
    language_model.rebuild_buffers(torch.device("cpu"))
    rotary: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = language_model.body.rotary_emb
    return rotary
