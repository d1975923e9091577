# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVLA's REST messages: JSON in which arrays are json_numpy's maps.

An array is {"__numpy__": base64 of its bytes, "dtype": text, "shape": [...]}, as in json_numpy 2.
Clients of openvla/vla-scripts/deploy.py send `image`, `instruction` and maybe `unnorm_key`; some
put that whole object as text under `encoded`, and read text back.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError
from evla_ros.policy.remote.messages import CAMERA_PREFIX, PROMPT, STATE
from evla_ros.reading.text_files import parse_json
from evla_ros.serving.errors import RequestError

_DTYPES = ("|u1", "<f4", "<f8", "<i4", "<i8", "uint8", "float32", "float64", "int32", "int64")


def question_of(body: bytes, cameras: Sequence[str]) -> tuple[dict[str, Any], bool]:
    """Return the body of a POST /act as a question in our own keys, and whether it was `encoded`.

    Args:
        body: JSON.
        cameras: of the policy; `image` or `full_image` is the first, others go by their name.

    Raises:
        RequestError: it is not such a message.
    """
    payload = _json(body)
    encoded = set(payload) == {"encoded"} and isinstance(payload["encoded"], str)
    if encoded:
        payload = _json(payload["encoded"].encode())
    given = payload.get("image", payload.get("full_image"))
    values = {cameras[0]: given, **{name: payload.get(name) for name in cameras[1:]}}
    for name in cameras[1:]:
        if values[name] is None:
            values[name] = payload.get(f"{name}_image")
    message = {
        CAMERA_PREFIX + name: _array(name, value)
        for name, value in values.items()
        if value is not None
    }
    state = payload.get("state", payload.get("proprio"))
    if state is not None:
        message[STATE] = _array("state", state)
    message[PROMPT] = payload.get("instruction")
    return message, encoded


def answer_of(actions: npt.NDArray[np.float64], *, encoded: bool) -> bytes:
    """Return the first action of a chunk [K, D] as the client reads it."""
    first = np.ascontiguousarray(actions[0])
    value: Any = {
        "__numpy__": base64.b64encode(first.tobytes()).decode(),
        "dtype": first.dtype.str,
        "shape": list(first.shape),
    }
    return json.dumps(json.dumps(value) if encoded else value).encode()


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = parse_json(body.decode(), "the request", RequestError)
    except UnicodeDecodeError as error:
        raise RequestError("the request is not UTF-8 text") from error
    except EvlaError as error:
        raise RequestError(str(error)) from error
    if not isinstance(value, dict):
        raise RequestError("the request is no JSON object")
    return value


def _array(name: str, value: Any) -> Any:
    """Return an array of json_numpy, or nested lists of numbers as they are."""
    if not isinstance(value, Mapping):
        return np.asarray(value, np.uint8) if _is_pixels(value) else value
    if set(value) != {"__numpy__", "dtype", "shape"}:
        raise RequestError(f"{name}: an array is {{__numpy__, dtype, shape}}")
    dtype, shape, text = value["dtype"], value["shape"], value["__numpy__"]
    if dtype not in _DTYPES or not isinstance(text, str):
        raise RequestError(f"{name}: numbers of the kind {str(dtype)[:40]!r}")
    if not isinstance(shape, list) or len(shape) > 4:
        raise RequestError(f"{name}: a shape is a list of at most 4 numbers")
    if any(type(side) is not int or side < 0 for side in shape):
        raise RequestError(f"{name}: the shape {str(shape)[:60]}")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{name}: not base64: {error}") from error
    if len(data) != np.dtype(dtype).itemsize * math.prod(shape):
        raise RequestError(f"{name}: {len(data)} bytes do not make {str(shape)[:60]} {dtype}")
    return np.frombuffer(data, dtype).reshape(shape)


def _is_pixels(value: Any) -> bool:
    """Return whether nested lists are an image: three levels of whole numbers from 0 to 255."""
    try:
        array = np.asarray(value)
    except ValueError:
        return False
    whole = array.ndim == 3 and array.dtype.kind in "iu" and array.size > 0
    return bool(whole and array.min() >= 0 and array.max() <= 255)
