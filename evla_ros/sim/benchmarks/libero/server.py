# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy server that speaks openpi's protocol, asked as openpi's LIBERO client asks it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.geometry.pose import Array
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.policy.remote.link import ServerLink
from evla_ros.policy.remote.messages import ACTIONS
from evla_ros.policy.remote.wire import MAX_MESSAGE_BYTES, pack, unpack
from evla_ros.sim.benchmarks.libero.environment import Seen
from evla_ros.sim.benchmarks.libero.suites import SENT_PX

CONNECTING_S, ANSWERING_S = 10.0, 120.0  # a first answer may compile
NUMBERS = 7


class LiberoServer:
    """A server, such as `evla serve --keys libero` or openpi's own.

    Building a scene takes long enough for a server to give up a connection that answers no pings;
    the next question then makes a new one.
    """

    def __init__(self, address: ServerAddress) -> None:
        """Connect.

        Raises:
            PolicyError: nobody answers there, or it speaks something else.
        """
        self._address, self._url = address, address.url
        self._link = self._connected()

    def ask(self, seen: Seen, instruction: str) -> Array:
        """Return the actions [K, 7] that answer; PolicyError with the server's own words."""
        question = {
            "observation/image": _sent(seen.images["primary"]),
            "observation/wrist_image": _sent(seen.images["wrist"]),
            "observation/state": seen.state,
            "prompt": instruction,
        }
        if not self._link.is_open():
            self._link.close()
            self._link = self._connected()
        answer = self._message(self._link.ask(pack(question), time.monotonic() + ANSWERING_S))
        actions = np.asarray(answer.get(ACTIONS, ()), dtype=np.float64)
        if actions.ndim != 2 or actions.shape[1] != NUMBERS or not len(actions):
            raise PolicyError(
                f"{self._url} answers with actions of shape {list(actions.shape)}; LIBERO takes "
                f"[K, {NUMBERS}]"
            )
        if not np.isfinite(actions).all():
            raise PolicyError(f"{self._url} answers with a number that is not finite")
        return actions

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def _connected(self) -> ServerLink:
        link = ServerLink(self._address, CONNECTING_S, MAX_MESSAGE_BYTES)
        self._message(link.ask(None, time.monotonic() + CONNECTING_S))  # it says what it serves
        return link

    def _message(self, data: bytes | str) -> dict[str, Any]:
        if isinstance(data, str):  # how a server refuses
            raise PolicyError(f"{self._url}: {data.strip().splitlines()[-1][:300]}")
        message = unpack(data)
        if not isinstance(message, dict):
            raise PolicyError(f"{self._url} answers with a {type(message).__name__}, not a map")
        return message


def _sent(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a picture in the size and by the filter of openpi's client (Pillow's bilinear)."""
    from PIL import Image

    sized = Image.fromarray(image).resize((SENT_PX, SENT_PX), Image.Resampling.BILINEAR)
    return np.asarray(sized)
