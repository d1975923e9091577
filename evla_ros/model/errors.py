# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The errors of the model folder; each message names the offending value and what fixes it."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class ModelConfigError(EvlaError):
    """A model configuration or preset that cannot be built."""


class ObservationError(EvlaError):
    """An image, a proprioception vector or a camera set that the model cannot take."""


class PromptError(EvlaError):
    """An instruction that cannot become a prompt."""


class StatisticsError(EvlaError):
    """Missing, malformed or unknown normalisation statistics."""


class CheckpointError(EvlaError):
    """A checkpoint that is missing, damaged, unsafe or of another shape."""


class RuntimeChoiceError(EvlaError):
    """A runtime that is not there, or cannot compute what is asked of it."""


class ExportError(EvlaError):
    """A network that cannot be exported, or whose exported form answers otherwise."""
