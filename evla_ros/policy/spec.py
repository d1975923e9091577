# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which policy to run, in plain data, so that another process can build it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from evla_ros.embodiment import Embodiment, parse_embodiment
from evla_ros.errors import nearest
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.shipped import shipped_checkpoint
from evla_ros.policy.types import Observation


@dataclass(frozen=True)
class PolicySpec:
    """kind: one of KINDS; what the rest means is up to the kind.

    checkpoint: folder (evla; empty takes the one that ships for the robot), `module:function`
        (scripted), `.npy` of actions (replay) or of goal poses and openings (path).
    faults: wrappers from the inside out, such as {"slow": {"delay_s": 0.3}}.
    """

    kind: str
    embodiment_text: str
    checkpoint: str = ""
    device: str = "cpu"
    dtype: str = ""
    decode: str = ""
    threads: int = 0
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the spec as text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> PolicySpec:
        """Return the spec of a text that `to_json` made."""
        return PolicySpec(**json.loads(text))


def build_policy(spec: PolicySpec) -> Policy:
    """Build the policy; raises PolicyError when the kind is unknown or cannot be built."""
    embodiment = parse_embodiment(spec.embodiment_text, source="embodiment")
    if spec.kind not in KINDS:
        raise PolicyError(f"unknown policy {spec.kind!r}; {nearest(spec.kind, KINDS)}")
    policy = KINDS[spec.kind](spec, embodiment)
    _check_sizes(policy, embodiment)
    from evla_ros.policy import faults

    wrappers: dict[str, Callable[..., Policy]] = {
        "slow": faults.SlowPolicy,
        "raising": faults.RaisingPolicy,
        "broken": faults.BrokenPolicy,
    }
    for name, options in spec.faults.items():
        policy = wrappers[name](policy, **options)
    return policy


def _check_sizes(policy: Policy, embodiment: Embodiment) -> None:
    ours = (embodiment.action.chunk, 7 * len(embodiment.arms))
    theirs = (policy.chunk_length, policy.action_dim)
    if ours != theirs:
        raise PolicyError(
            f"the policy's chunks are {theirs[0]} x {theirs[1]}, the embodiment "
            f"{embodiment.name!r} needs {ours[0]} x {ours[1]} (action.chunk x 7 per arm)"
        )
    if policy.embodiment_hash not in ("", embodiment.content_hash):
        raise PolicyError(
            f"the policy was made for embodiment {policy.embodiment_hash[:12]}, "
            f"this is {embodiment.content_hash[:12]} ({embodiment.name})"
        )


def _evla(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.evla_policy import EvlaPolicy

    checkpoint = spec.checkpoint or shipped_checkpoint(embodiment)
    if not checkpoint:
        raise PolicyError(
            "the policy 'evla' needs a checkpoint folder: set `checkpoint` "
            f"(none ships for {embodiment.name!r})"
        )
    return EvlaPolicy(
        str(checkpoint),
        embodiment,
        spec.device,
        spec.dtype or None,
        spec.decode or None,
        spec.threads,
    )


def _hold(_: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.fixed import HoldPolicy

    return HoldPolicy(embodiment.action.chunk, 7 * len(embodiment.arms))


def _circle(_: PolicySpec, embodiment: Embodiment) -> Policy:
    """Let every tool draw a circle of 5 cm radius in the y-z plane, one turn in four seconds."""
    from evla_ros.policy.fixed import ScriptedPolicy

    chunk, arms = embodiment.action.chunk, len(embodiment.arms)
    turn = 2 * np.pi / (4.0 * embodiment.rate_hz)

    def circle(observation: Observation) -> np.ndarray[Any, np.dtype[np.float64]]:
        phase = observation.stamp_ns / 1e9 * embodiment.rate_hz * turn
        angles = phase + turn * np.arange(chunk)
        actions = np.zeros((chunk, 7 * arms))
        for arm in range(arms):
            actions[:, 7 * arm + 1] = 0.05 * turn * np.cos(angles)
            actions[:, 7 * arm + 2] = 0.05 * turn * np.sin(angles)
            actions[:, 7 * arm + 6] = np.sin(phase) > 0
        return actions

    return ScriptedPolicy(circle, chunk, 7 * arms)


def _scripted(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.fixed import ScriptedPolicy

    module, _, name = spec.checkpoint.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise PolicyError(
            f"no function {spec.checkpoint!r}; `checkpoint` is module:function ({error})"
        ) from error
    return ScriptedPolicy(function, embodiment.action.chunk, 7 * len(embodiment.arms))


def _replay(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.fixed import ReplayPolicy

    rows = _numbers(spec.checkpoint)
    return ReplayPolicy(rows, embodiment.action.chunk, round(1e9 / embodiment.rate_hz))


def _path(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.path import PathPolicy

    return PathPolicy(_numbers(spec.checkpoint), embodiment)


def _numbers(file: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return np.asarray(np.load(file, allow_pickle=False), np.float64)
    except (OSError, ValueError) as error:
        raise PolicyError(f"{file}: cannot be read as numbers (.npy): {error}") from error


KINDS: dict[str, Callable[[PolicySpec, Embodiment], Policy]] = {
    "evla": _evla,
    "hold": _hold,
    "circle": _circle,
    "scripted": _scripted,
    "replay": _replay,
    "path": _path,
}
