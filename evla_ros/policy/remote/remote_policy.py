# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy whose answers come from a policy server; never the answer of a past question.

The server's clock does not matter: an observation keeps the robot's time stamp, and the deadline
is the robot's. After a deadline, or whatever else went wrong, the connection is closed and opened
anew when the next question comes, with growing pauses while that fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from evla_ros.embodiment import Embodiment
from evla_ros.errors import nearest
from evla_ros.policy.errors import PolicyError, ServerGoneError, ServerLateError
from evla_ros.policy.remote import messages
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.policy.remote.contract import Contract
from evla_ros.policy.remote.link import LinkClosedError, LinkTimeoutError, ServerLink
from evla_ros.policy.remote.wire import MAX_MESSAGE_BYTES, pack, unpack
from evla_ros.policy.types import Chunk, Observation

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
CONNECT_S = 2.0


class RemotePolicy:
    """Asks a server; one caller at a time. The first connection is made when it is built."""

    def __init__(
        self,
        address: ServerAddress,
        embodiment: Embodiment,
        deadline_s: float = 5.0,
        encoding: str = "jpeg",
    ) -> None:
        """Connect, and check that the server's policy was made for this robot.

        Args:
            address: of the server.
            embodiment: the robot.
            deadline_s: an answer that takes longer is given up.
            encoding: how images travel: `jpeg` (quality 95) or `raw`.

        Raises:
            PolicyError: no server there, it refuses, or its policy was made for another robot.
        """
        if encoding not in messages.ENCODINGS:
            raise PolicyError(
                f"image_encoding {encoding!r}: {nearest(encoding, messages.ENCODINGS)}"
            )
        self._address, self._robot = address, embodiment
        self._deadline_s, self._encoding = deadline_s, encoding
        self._clock: Callable[[], float] = time.monotonic
        self._link: ServerLink | None = None
        self._pause_s, self._not_before_s, self._problem = 0.0, 0.0, ""
        self._agreed_hash = ""
        try:
            self._link, contract = self._connect(self._clock() + max(deadline_s, CONNECT_S))
        except (LinkClosedError, LinkTimeoutError) as error:
            raise PolicyError(
                f"{error}; start it with `evla serve`, and see docs/serving.md"
            ) from error
        self._agreed_hash = contract.hash
        self.embodiment_hash = contract.embodiment_hash
        self.chunk_length, self.action_dim = contract.chunk, len(contract.action_names)
        self.cameras = contract.cameras

    def infer(self, observation: Observation) -> Chunk:
        """Return the server's chunk for an observation.

        Raises:
            ServerLateError: the deadline passed; the connection is closed.
            ServerGoneError: the server cannot be reached, ended, or refuses.
            PolicyError: the server cannot answer this observation, or answers nonsense.
        """
        start_s = self._clock()
        until_s = start_s + self._deadline_s
        question = pack(
            messages.question(observation, self.cameras, self._encoding, self._deadline_s)
        )
        answer = self._answer(question, until_s)
        took_s = self._clock() - start_s
        if isinstance(answer, str):
            kind = ServerLateError if answer.startswith(messages.LATE) else PolicyError
            raise kind(f"{self._address.url}: {answer[:300]}")
        content = unpack(answer)
        shape = (self.chunk_length, self.action_dim)
        actions = messages.actions_of(content, shape, self._address.url)
        server_s = min(messages.server_ms(content) / 1e3, took_s)
        network_ns = round((took_s - server_s) * 1e9)
        return Chunk(observation.stamp_ns, actions, round(server_s * 1e9), network_ns)

    def reset(self) -> None:
        """Do nothing: the network looks at one observation at a time."""

    def close(self) -> None:
        """Close the connection; the next question opens one again."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _answer(self, question: bytes, until_s: float) -> bytes | str:
        try:
            link = self._open_link(until_s)
            return link.ask(question, until_s)
        except LinkTimeoutError as error:
            self.close()
            raise ServerLateError(f"{error} ({self._deadline_s:g} s)") from error
        except LinkClosedError as error:
            self.close()
            raise ServerGoneError(str(error)) from error

    def _open_link(self, until_s: float) -> ServerLink:
        """Return the connection, a new one when the last has ended since it was used."""
        if self._link is not None and self._link.is_open():
            return self._link
        self.close()
        now_s = self._clock()
        if now_s < self._not_before_s:
            raise LinkClosedError(
                f"{self._problem}; tried again in {self._not_before_s - now_s:.1f} s"
            )
        try:
            self._link, _ = self._connect(min(until_s, now_s + CONNECT_S))
        except PolicyError as error:
            self._pause_s = min(max(2 * self._pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            self._not_before_s = self._clock() + self._pause_s
            self._problem = str(error)
            if isinstance(error, LinkTimeoutError):
                raise LinkClosedError(str(error)) from error
            raise
        self._pause_s = 0.0
        return self._link

    def _connect(self, until_s: float) -> tuple[ServerLink, Contract]:
        link = ServerLink(self._address, until_s - self._clock(), MAX_MESSAGE_BYTES)
        try:
            first = link.ask(None, until_s)
            if isinstance(first, str):
                raise LinkClosedError(f"{self._address.url}: {first[:300]}")
            contract = Contract.of_metadata(unpack(first), self._address.url)
            self._check(contract)
        except PolicyError:
            link.close()
            raise
        return link, contract

    def _check(self, contract: Contract) -> None:
        """Refuse a policy of another robot, and later one that is not the first one."""
        if not self._agreed_hash:
            contract.check(self._robot, self._address.url)
        elif contract.hash != self._agreed_hash:
            raise PolicyError(
                f"{self._address.url} serves another policy than when this robot was configured "
                f"(contract {contract.hash[:12]}, then {self._agreed_hash[:12]}); configure the "
                "policy node again"
            )
