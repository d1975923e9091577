# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compile the decoder for training; on a CPU that needs a C++ compiler on the machine."""

from __future__ import annotations

import torch

from evla_ros.machine import has_compiler
from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.errors import TrainingError


def compile_decoder(model: EvlaModel, device: torch.device) -> None:
    """Compile the language model's forward; TrainingError when that cannot work here."""
    if device.type == "cpu" and not has_compiler():
        raise TrainingError(
            "compile: true needs a C++ compiler (g++) on this machine; install one or set "
            "compile=false"
        )
    body = model.language_model.body
    body.forward = torch.compile(body.forward)  # type: ignore[method-assign]
