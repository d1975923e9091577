# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a policy server says of its policy in its first frame, and whether that fits a robot."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evla_ros.embodiment import (
    Embodiment,
    action_layout,
    differences,
    parse_embodiment,
    proprio_layout,
)
from evla_ros.policy.errors import PolicyError

_SHOWN = 4


@dataclass(frozen=True)
class Contract:
    """What both sides have to agree on.

    Attributes:
        cameras: the images that the policy looks at.
        proprio_names: one name per number of the state; empty when it takes none.
        action_names: one name per number of an action.
        action_units: their units.
        chunk: actions in an answer.
        rate_hz: actions per second; 0 when the checkpoint does not say.
        embodiment: the embodiment file it was made for, as text; empty fits any robot.
        statistics: digest of the numbers that un-normalise; empty where there are none.
    """

    cameras: tuple[str, ...]
    proprio_names: tuple[str, ...]
    action_names: tuple[str, ...]
    action_units: tuple[str, ...]
    chunk: int
    rate_hz: float
    embodiment: str = ""
    statistics: str = ""

    @property
    def hash(self) -> str:
        """The digest that changes with anything a robot relies on."""
        return digest(asdict(self) | {"embodiment": self.embodiment_hash})

    @property
    def embodiment_hash(self) -> str:
        """The content hash of the embodiment file; empty without one."""
        return self._robot().content_hash if self.embodiment else ""

    def metadata(self) -> dict[str, Any]:
        """Return the part of the server's first frame that a robot checks."""
        lists = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
        return {
            **lists,
            "proprio_dim": len(self.proprio_names),
            "action_dim": len(self.action_names),
            "embodiment_hash": self.embodiment_hash,
            "contract_hash": self.hash,
        }

    @classmethod
    def of_metadata(cls, metadata: Any, source: str) -> Contract:
        """Return the contract of a first frame.

        Args:
            metadata: the frame.
            source: the server's address, for the message.

        Raises:
            PolicyError: it lacks a key, holds one of another kind, or its hash is another's.
        """
        try:
            fields = {key: metadata[key] for key in cls.__dataclass_fields__}
            contract = cls(
                _names(fields, "cameras"),
                _names(fields, "proprio_names"),
                _names(fields, "action_names"),
                _names(fields, "action_units"),
                _whole(fields["chunk"]),
                float(fields["rate_hz"]),
                str(fields["embodiment"]),
                str(fields["statistics"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PolicyError(
                f"{source} does not describe its policy as `evla serve` does "
                f"({type(error).__name__}: {error}); is it another kind of server?"
            ) from error
        if metadata.get("contract_hash") != contract.hash:
            raise PolicyError(
                f"{source}: the contract hash does not belong to the rest of the metadata; the "
                "server is of another version: install the same one on both machines"
            )
        return contract

    def misfits(self, ours: Embodiment) -> list[str]:
        """Return one line per reason why this policy may not move a robot; empty when it may."""
        found = differences(ours, self._robot()) if self.embodiment else []
        if found:
            return found
        action, proprio = action_layout(ours), proprio_layout(ours)
        named = bool(self.embodiment)
        pairs: list[tuple[str, Any, Any]] = [
            ("action.chunk", ours.action.chunk, self.chunk),
            ("numbers of an action", action.size, len(self.action_names)),
        ]
        if named:
            pairs.append(("action names", action.names, self.action_names))
            pairs.append(("action units", action.units, self.action_units))
        if self.proprio_names:
            pairs.append(("numbers of proprio", proprio.size, len(self.proprio_names)))
        if self.proprio_names and named:
            pairs.append(("proprio names", proprio.names, self.proprio_names))
        found = [
            f"{what}: {here} here, {there} there" for what, here, there in pairs if here != there
        ]
        missing = [name for name in self.cameras if name not in ours.cameras]
        return found + [f"camera {name!r}: none here, looked at there" for name in missing]

    def check(self, ours: Embodiment, source: str) -> None:
        """Raise PolicyError when this policy may not move a robot; the message says why."""
        found = self.misfits(ours)
        if found:
            shown = "; ".join(found[:_SHOWN]) + ("; ..." if len(found) > _SHOWN else "")
            raise PolicyError(
                f"the policy of {source} was made for another robot: {shown} (here: the embodiment "
                "file, there: the server's checkpoint); use the file it was trained with"
            )

    def _robot(self) -> Embodiment:
        return parse_embodiment(self.embodiment, source="the server's embodiment")


def contract_of(
    embodiment: Embodiment, cameras: tuple[str, ...], *, proprio: bool, statistics: str = ""
) -> Contract:
    """Return the contract of a policy that was made for a robot.

    Args:
        embodiment: the robot.
        cameras: those that the policy looks at.
        proprio: whether it takes the robot's state.
        statistics: digest of what un-normalises its actions.
    """
    action = action_layout(embodiment)
    state = proprio_layout(embodiment).names if proprio else ()
    return Contract(
        cameras,
        state,
        action.names,
        action.units,
        embodiment.action.chunk,
        float(embodiment.rate_hz),
        embodiment.text,
        statistics,
    )


def digest(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain data, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _names(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    if not isinstance(fields[key], list):
        raise TypeError(f"{key} is no list")
    return tuple(str(name) for name in fields[key])


def _whole(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"chunk {value!r}")
    return value
