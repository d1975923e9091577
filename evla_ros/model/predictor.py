# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole step from camera frames to actions in physical units."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.checkpoint import read_parts
from evla_ros.model.config import DecodeMode, HeadName
from evla_ros.model.errors import CheckpointError, ModelConfigError, RuntimeChoiceError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput, stacked
from evla_ros.model.runtimes.opening import DTYPES, Asked, open_network
from evla_ros.model.runtimes.torch_network import TorchNetwork
from evla_ros.reading.yaml_files import parse_yaml

__all__ = ["DTYPES", "Predictor", "find_device"]

TEXT_BUCKET = 16  # where shapes are static, prompts are padded to a multiple of this


class Predictor:
    """A loaded checkpoint that turns one observation into one action chunk.

    Args:
        checkpoint: a checkpoint folder.
        device: `cpu`, `cuda`, ...
        dtype: `fp32`, `bf16`, `fp16` or `int8`; `auto` measures which of fp32 and bf16 this
            device multiplies faster; None keeps the stored one, on a GPU bf16.
        decode: `joint`, `autoregressive` or `released`; None takes the checkpoint's.
        output: `tokens` or `l1` for joint decoding; None takes the checkpoint's.
        statistics_key: the dataset whose statistics un-normalise; None takes the only one, or of
            several that with the robot's name.
        robot: name of the robot's embodiment; None takes the checkpoint's.
        static_shapes: compile the blocks on a CPU, capture CUDA graphs on a GPU. The first step of
            each prompt length then takes long; call `warm_up` before the robot moves.
        runtime: `torch`, `openvino`, `onnx`, or `auto`: the fastest that is there, measured in a
            second; None takes what an exported checkpoint was exported for, else torch.

    Attributes:
        network: what answers.
        note: how the runtime was chosen, for the log; empty when it was named.
    """

    def __init__(  # noqa: PLR0913 - each has a default; they are named by their callers
        self,
        checkpoint: str | Path,
        device: str = "cpu",
        dtype: str | None = None,
        decode: DecodeMode | None = None,
        output: HeadName | None = None,
        statistics_key: str | None = None,
        *,
        robot: str | None = None,
        static_shapes: bool = False,
        runtime: str | None = None,
    ) -> None:
        self.device = find_device(device)
        loaded = read_parts(checkpoint)
        self.checkpoint, self.config = loaded.path, loaded.config
        self.processor, self.statistics = loaded.processor, loaded.statistics
        self.embodiment_text = loaded.embodiment_text
        self.cameras = loaded.cameras
        self.decode = decode
        self.output = output
        self.action_tokenizer = ActionTokenizer(
            self.config.action.vocabulary_size, self.config.action.bins
        )
        if statistics_key is None and robot is None and len(self.statistics.datasets) > 1:
            robot = _robot(self.embodiment_text)
        self.key = self.statistics.key(statistics_key, robot)
        method = self.config.action.normalization
        self.action_normalizer = self.statistics.action(self.key, method)
        has_proprio = bool(self.config.proprio_dim)
        self.proprio_normalizer = self.statistics.proprio(self.key, method) if has_proprio else None
        self.static_shapes = static_shapes
        asked = Asked(runtime, self.device, dtype, decode, output, static_shapes)
        self._pads_prompts = True
        opened = open_network(loaded, asked, self._grey())
        self.network, self.note = opened.network, opened.note
        self._pads_prompts = self.network.pads_prompts

    @property
    def model(self) -> EvlaModel:
        """The network in torch.

        Raises:
            RuntimeChoiceError: another runtime computes it.
        """
        if not isinstance(self.network, TorchNetwork):
            raise RuntimeChoiceError(
                f"{self.checkpoint} runs in {self.network.name}; this needs runtime 'torch'"
            )
        return self.network.model

    @property
    def chunk_length(self) -> int:
        """K, steps per chunk."""
        return self.config.action.chunk

    @property
    def action_dim(self) -> int:
        """D, numbers per step."""
        return self.config.action.dim

    def predict(
        self, images: Mapping[str, Any], proprio: NDArray[np.float32] | None, instruction: str
    ) -> NDArray[np.float64]:
        """Return the actions for one observation.

        Args:
            images: camera name -> [height, width, 3] uint8 RGB. Cameras that the model was not
                trained with are ignored.
            proprio: [P] in physical units; None for a model without proprio.
            instruction: the task in words.

        Returns:
            [K, D] float64 in physical units: K actions of D numbers.

        Raises:
            ObservationError: an image or the proprio vector does not fit the model.
            PromptError: the instruction is empty or too long.
        """
        return self.predict_batch([self.prepare(images, proprio, instruction)])[0]

    def prepare(
        self,
        images: Mapping[str, Any],
        proprio: NDArray[np.float32] | None,
        instruction: str,
    ) -> ModelInput:
        """Return one observation as the network takes it, on the CPU; see `predict`.

        It needs no more of the network than its configuration, so it may run in another thread
        than `predict_batch`.
        """
        seen = {name: images[name] for name in self.config.image.cameras if name in images}
        return self.processor(
            seen, instruction, proprio, self.proprio_normalizer, self._text_length(instruction)
        )

    def predict_batch(self, inputs: Sequence[ModelInput]) -> list[NDArray[np.float64]]:
        """Return the actions for several observations from one step of the network.

        Args:
            inputs: what `prepare` made of each.

        Returns:
            [K, D] float64 in physical units for each, as `predict` would return it; computed
            together, the last bits of the network's numbers may differ.
        """
        actions = self.network.decode(stacked(inputs).to(self.device)).cpu().numpy()
        return [self.action_normalizer.unnormalize(rows) for rows in actions]

    def warm_up(self, instruction: str = "lift the red block", batch: int = 1) -> float:
        """Predict twice from grey images, so that everything is compiled and loaded.

        On a GPU with static shapes a graph of every length that a prompt may have is captured, so
        that a new instruction does not stop a moving robot.

        Args:
            instruction: its length decides what is compiled on a CPU.
            batch: of so many observations.

        Returns:
            How long the second step took, in milliseconds.
        """
        inputs = [self._grey(instruction)] * batch
        self.predict_batch(inputs)
        if self.static_shapes and self.device.type == "cuda":
            self._capture_all(inputs)
        start = time.perf_counter()
        self.predict_batch(inputs)
        return 1e3 * (time.perf_counter() - start)

    def check_answer(self, instruction: str = "lift the red block") -> None:
        """Ask once with grey images, and look at what the heads give before clipping hides it.

        Raises:
            CheckpointError: a number of it is not finite. The likeliest of 256 bins that are all
                NaN is still a bin, so that the actions alone would look sound.
        """
        if not self.network.is_finite(self._grey(instruction).to(self.device)):
            raise CheckpointError(
                f"the network of {self.checkpoint} answers a grey picture with numbers that are "
                "not finite: take an earlier checkpoint, or another dtype if this one is fp16"
            )

    def _grey(self, instruction: str = "lift the red block") -> ModelInput:
        size = self.config.image.size
        frame = np.full((size, size, 3), 127, np.uint8)
        images = dict.fromkeys(self.config.image.cameras, frame)
        return self.prepare(images, np.zeros(self.config.proprio_dim, np.float32), instruction)

    def _capture_all(self, inputs: Sequence[ModelInput]) -> None:
        """Predict once with a prompt of every padded length."""
        longest = self.config.prompt.max_tokens
        for length in range(TEXT_BUCKET, longest + TEXT_BUCKET, TEXT_BUCKET):
            padded = [replace(one, input_ids=_of_length(one.input_ids, length)) for one in inputs]
            lengths = [one.text_lengths.clamp_max(length) for one in padded]
            made = [replace(one, text_lengths=n) for one, n in zip(padded, lengths, strict=True)]
            self.predict_batch(made)

    def _text_length(self, instruction: str) -> int | None:
        if not self._pads_prompts:
            return None
        tokens = len(self.processor.prompt_builder.encode(instruction))
        return -(-tokens // TEXT_BUCKET) * TEXT_BUCKET


def _of_length(ids: Tensor, length: int) -> Tensor:
    """Return prompt ids [B, T] cut or padded to a length."""
    return torch.nn.functional.pad(ids[:, :length], (0, max(0, length - ids.shape[1])))


def _robot(embodiment_text: str | None) -> str | None:
    """Return the name of the robot that a checkpoint was made for."""
    if embodiment_text is None:
        return None
    data = parse_yaml(embodiment_text, "the checkpoint's embodiment.yaml", CheckpointError)
    return str(data.get("name")) if isinstance(data, dict) else None


def find_device(name: str) -> torch.device:
    """Return the torch device of a name.

    Raises:
        ModelConfigError: unknown, or this machine does not have it.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelConfigError(f"unknown device {name!r}; use 'cpu' or 'cuda'") from error
    count = torch.cuda.device_count()
    if device.type == "cuda" and not count:
        raise ModelConfigError("no CUDA device is available; use device 'cpu'")
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ModelConfigError(f"device {name!r} does not exist; this machine has {count}")
    return device
