# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a question and an answer are made of; both sides read the names here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.image_resize import ImageError
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.types import Observation

CAMERA_PREFIX = "observation/"
STATE = "observation/state"
PROMPT = "prompt"
DEADLINE_MS = "deadline_ms"  # counted from the arrival of the question
ACTIONS = "actions"
TIMING = "server_timing"  # {"infer_ms", "queue_ms", "total_ms"}
LATE = "late: "  # how the sentence begins that answers a question after its deadline
ENCODINGS = ("jpeg", "raw")


def question(
    observation: Observation, cameras: tuple[str, ...], encoding: str, deadline_s: float
) -> dict[str, Any]:
    """Return an observation as the server takes it.

    Args:
        observation: its images are [height, width, 3] uint8.
        cameras: those that the policy looks at; others stay here.
        encoding: `jpeg`, or `raw` for the pixels as they are.
        deadline_s: how long the robot waits for the answer.

    Raises:
        PolicyError: an image cannot be encoded.
    """
    message: dict[str, Any] = {
        CAMERA_PREFIX + name: _image(name, observation.images[name], encoding) for name in cameras
    }
    message[STATE] = np.asarray(observation.proprio, np.float32)
    message[PROMPT] = observation.instruction
    message[DEADLINE_MS] = 1e3 * deadline_s
    return message


def actions_of(answer: Any, shape: tuple[int, int], source: str) -> npt.NDArray[np.float64]:
    """Return the actions [K, D] of an answer.

    Raises:
        PolicyError: it holds none, or of another shape.
    """
    actions = answer.get(ACTIONS) if isinstance(answer, Mapping) else answer
    if not isinstance(actions, np.ndarray) or actions.shape != shape:
        what = f"actions {list(actions.shape)}" if isinstance(actions, np.ndarray) else "no actions"
        raise PolicyError(f"{source} answered with {what}; {list(shape)} were agreed on")
    return actions.astype(np.float64)


def server_ms(answer: Any) -> float:
    """Return how long the server took, in ms; 0 where it does not say."""
    timing = answer.get(TIMING) if isinstance(answer, Mapping) else None
    value = timing.get("total_ms", 0.0) if isinstance(timing, Mapping) else 0.0
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else 0.0


def _image(name: str, image: npt.NDArray[np.uint8], encoding: str) -> Any:
    if encoding == "raw":
        return np.ascontiguousarray(image)
    try:
        return encode_jpeg(image)
    except ImageError as error:
        raise PolicyError(f"camera {name!r}: {error}") from error
