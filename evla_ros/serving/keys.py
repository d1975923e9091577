# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which part of a question is which camera, the state and the instruction; how grippers are told.

Without a map file: `observation/<camera>`, `observation/state`, `prompt`, and an open gripper is 1.
A map file, for clients that were written for LIBERO, DROID or ALOHA, names other ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evla_ros.data.image_jpeg import decode_rgb, image_size
from evla_ros.data.image_resize import ImageError
from evla_ros.errors import nearest
from evla_ros.policy.remote.contract import Contract
from evla_ros.policy.remote.messages import CAMERA_PREFIX, PROMPT, STATE
from evla_ros.policy.types import Observation
from evla_ros.reading.yaml_files import read_yaml
from evla_ros.serving.errors import RequestError, ServingError
from evla_ros.settings_errors import lines, problems
from evla_ros.shared_files import shared_file

Actions = npt.NDArray[np.float64]
MAX_PIXELS = 9_000_000  # 4K
SHIPPED = ("libero", "droid", "aloha")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CameraKey(_Strict):
    """Where a camera's image is, and which way round its axes are."""

    key: str = Field(min_length=1)
    layout: Literal["hwc", "chw"] = "hwc"


class GripperValues(_Strict):
    """What a client's robot takes for an open and for a closed gripper; ours takes 1 and 0."""

    open: float
    closed: float


class KeyMap(_Strict):
    """The content of a map file.

    Attributes:
        cameras: the policy's camera -> where its image is.
        state: keys whose numbers, one behind the other, are the state.
        prompt: where the instruction is.
        gripper: how grippers are told to the client; None: as the policy says them, 1 is open.
        state_means: what those clients send as state, in words.
        actions_mean: what their robot takes as an action, in words.
        metadata: what clients of this kind look for in the first frame, beside ours.
    """

    cameras: dict[str, CameraKey] = Field(min_length=1)
    state: tuple[str, ...] = (STATE,)
    prompt: str = PROMPT
    gripper: GripperValues | None = None
    state_means: str = ""
    actions_mean: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)


def own_keys(cameras: Sequence[str]) -> KeyMap:
    """Return the map of our own clients."""
    return KeyMap(cameras={name: CameraKey(key=CAMERA_PREFIX + name) for name in cameras})


def read_keys(name: str, cameras: Sequence[str]) -> KeyMap:
    """Return a shipped map or that of a file, for a policy with these cameras.

    Raises:
        ServingError: no such map, it is malformed, or lacks a camera that the policy looks at.
    """
    path = shared_file("config", "serving", f"{name}.yaml") if name in SHIPPED else Path(name)
    if not path.is_file():
        raise ServingError(
            f"no map {name!r}: neither a file nor one that ships; {nearest(name, SHIPPED)}"
        )
    data = read_yaml(path, ServingError)
    try:
        keys = KeyMap.model_validate(data)
    except ValidationError as error:
        raise ServingError(lines(problems(error, KeyMap), str(path))) from error
    missing = [camera for camera in cameras if camera not in keys.cameras]
    if missing:
        raise ServingError(
            f"{path}: no key for camera {missing[0]!r}, which the policy looks at; the map has "
            f"{', '.join(keys.cameras)}"
        )
    return keys


def contract_in(keys: KeyMap, contract: Contract) -> Contract:
    """Return what the server says of its policy: grippers in the client's numbers have their unit.

    Raises:
        ServingError: the map says how grippers are told, and the policy has none.
    """
    columns = gripper_columns(contract)
    if keys.gripper is None:
        return contract
    if not columns:
        raise ServingError(
            "the map says how grippers are told, and this policy has no gripper: leave `gripper` "
            "out of a map file of your own"
        )
    told = f"open {keys.gripper.open:g}, closed {keys.gripper.closed:g}"
    units = [told if n in columns else unit for n, unit in enumerate(contract.action_units)]
    return replace(contract, action_units=tuple(units))


def gripper_columns(contract: Contract) -> list[int]:
    """Return which numbers of an action are grippers; the last, where no robot names them."""
    names = contract.action_names
    if contract.embodiment:
        return [n for n, name in enumerate(names) if name.endswith("gripper")]
    return [len(names) - 1]


def notes(keys: KeyMap, contract: Contract) -> list[str]:
    """Return what nobody checks, in sentences: what numbers mean there and here, and a guess."""
    found = []
    if keys.state_means and contract.proprio_names:
        read = ", ".join(contract.proprio_names)
        found.append(f"state: these clients send {keys.state_means}; the policy reads {read}")
    if keys.actions_mean:
        given = ", ".join(contract.action_names)
        found.append(f"actions: these clients take {keys.actions_mean}; the policy gives {given}")
    if keys.gripper is not None and not contract.embodiment:
        found.append(
            "gripper: no robot is stored with this policy; the last number of an action is taken "
            "for it, and 1 for open, as OpenVLA's are"
        )
    return found


def told_in(keys: KeyMap, columns: Sequence[int], actions: Actions) -> Actions:
    """Return actions [K, D] as the client takes them."""
    if keys.gripper is None:
        return actions
    told = np.array(actions)
    told[:, columns] *= keys.gripper.open - keys.gripper.closed
    told[:, columns] += keys.gripper.closed
    return told


def observation_of(
    message: Mapping[str, Any],
    keys: KeyMap,
    cameras: Sequence[str],
    state_size: int,
    default_prompt: str = "",
) -> Observation:
    """Return a question as an observation.

    Args:
        message: the question, its arrays decoded.
        keys: what is where.
        cameras: those that the policy looks at.
        state_size: the numbers of the state; 0: the policy takes none, whatever is sent.
        default_prompt: the instruction where the question has none.

    Raises:
        RequestError: a part is missing or of another kind; the sentence names its key.
    """
    images = {name: _image(message, keys.cameras[name]) for name in cameras}
    state = _state(message, keys, state_size) if state_size else np.zeros(0, np.float32)
    prompt = _look_up(message, keys.prompt)
    prompt = default_prompt if prompt is None else prompt
    if not isinstance(prompt, str) or not prompt.strip():
        raise RequestError(f"no instruction: {keys.prompt!r} holds the task in words")
    return Observation(0, images, state, prompt)


def _look_up(message: Mapping[str, Any], key: str) -> Any:
    """Return what is at a key, which may lead through maps within maps; None when nothing is."""
    if key in message:
        return message[key]
    first, _, rest = key.partition("/")
    inner = message.get(first)
    return _look_up(inner, rest) if rest and isinstance(inner, Mapping) else None


def _image(message: Mapping[str, Any], camera: CameraKey) -> npt.NDArray[np.uint8]:
    value, key = _look_up(message, camera.key), camera.key
    if value is None:
        raise RequestError(f"no image {key!r}; the question has {_names(message)}")
    if isinstance(value, bytes):
        return _decoded(value, key)
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3:
        what = (
            f"{value.dtype} {list(value.shape)}"
            if isinstance(value, np.ndarray)
            else type(value).__name__
        )
        raise RequestError(f"image {key!r} is {what}; uint8 [height, width, 3] is needed, or JPEG")
    image = value.transpose(1, 2, 0) if camera.layout == "chw" else value
    height, width, channels = image.shape
    if channels != 3 or not 0 < height * width <= MAX_PIXELS:
        order = "[3, height, width]" if camera.layout == "chw" else "[height, width, 3]"
        raise RequestError(
            f"image {key!r} has the shape {list(value.shape)}; {order} with at most "
            f"{MAX_PIXELS} pixels is needed"
        )
    return np.array(image, order="C")  # what arrived is read-only


def _decoded(data: bytes, key: str) -> npt.NDArray[np.uint8]:
    if data[:2] != b"\xff\xd8":
        raise RequestError(f"image {key!r}: {len(data)} bytes that are no JPEG")
    try:
        height, width = image_size(data)
        if height * width > MAX_PIXELS:
            raise RequestError(f"image {key!r} has {height} x {width} pixels; at most {MAX_PIXELS}")
        return decode_rgb(data)
    except ImageError as error:
        raise RequestError(f"image {key!r}: {error}") from error


def _state(message: Mapping[str, Any], keys: KeyMap, size: int) -> npt.NDArray[np.float32]:
    parts = []
    for key in keys.state:
        value = _look_up(message, key)
        if value is None:
            raise RequestError(f"no {key!r}; the question has {_names(message)}")
        try:
            part = np.atleast_1d(np.asarray(value, np.float64))
        except (TypeError, ValueError) as error:
            raise RequestError(f"{key!r} is not numbers") from error
        parts.append(part.ravel())
    state = np.concatenate(parts)
    if state.size != size:
        where = " + ".join(keys.state)
        raise RequestError(f"{where} has {state.size} numbers; the policy takes {size}")
    if not np.isfinite(state).all() or np.abs(state).max() > 1e30:
        raise RequestError(f"{' + '.join(keys.state)} holds a number that is not finite")
    return state.astype(np.float32)


def _names(message: Mapping[str, Any]) -> str:
    return ", ".join(str(key)[:40] for key in list(message)[:12]) or "nothing"
