# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which policy to run, as plain data, so that another process can build it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.embodiment import Embodiment, action_columns, parse_embodiment, proprio_layout
from evla_ros.errors import nearest, shorten, shown
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.shipped import shipped_checkpoint
from evla_ros.policy.types import Observation
from evla_ros.reading.text_files import regular_file

_NUMPY = b"\x93NUMPY"


@dataclass(frozen=True)
class PolicySpec:
    """Which policy to build and with which options.

    Attributes:
        kind: one of the keys of KINDS; it decides what the other fields mean.
        embodiment_text: the embodiment file of the robot, as text.
        checkpoint: for `evla` a checkpoint folder (empty: the one that ships for the robot); for
            `scripted` a function or a class as `module:name`; for `replay` an `.npy` file of
            actions, for `path` one of goal poses and gripper openings.
        device: where the network runs: `cpu`, `cuda` or `cuda:1`.
        dtype: number format of the weights; empty keeps the stored one, on a GPU bf16.
        decode: `joint` or `autoregressive`; empty takes the checkpoint's.
        threads: threads of the network on the CPU; 0 leaves the choice to torch.
        statistics: for `evla`, the dataset whose statistics un-normalise; empty takes the only one
            of the checkpoint, or of several that with the robot's name.
        runtime: for `evla`, `torch`, `openvino`, `onnx` or `auto`; empty takes what an exported
            checkpoint was exported for, else torch.
        server: for `remote`, the policy server: `wss://host:port`, or `ws://host:port`.
        token_file: for `remote`, the file with the robot's token; empty: it has none.
        ca_file: for `remote`, the certificate that the server's must be signed by; empty: those
            that the system trusts.
        image_encoding: for `remote`, `jpeg` or `raw`.
        deadline_s: for `remote`, an answer that takes longer is given up.
        faults: wrappers that make the policy misbehave, innermost first, such as `{"slow":
            {"delay_s": 0.3}}`.
    """

    kind: str
    embodiment_text: str
    checkpoint: str = ""
    device: str = "cpu"
    dtype: str = ""
    decode: str = ""
    threads: int = 0
    statistics: str = ""
    runtime: str = ""
    server: str = ""
    token_file: str = ""
    ca_file: str = ""
    image_encoding: str = "jpeg"
    deadline_s: float = 5.0
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the spec as JSON text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> PolicySpec:
        """Return the spec from the text that `to_json` made."""
        return PolicySpec(**json.loads(text))


def build_policy(spec: PolicySpec) -> Policy:
    """Build the policy that a spec describes.

    Raises:
        PolicyError: the kind is unknown, the policy cannot be built, or it does not fit the robot.
    """
    embodiment = parse_embodiment(spec.embodiment_text, source="embodiment")
    if spec.kind not in KINDS:
        raise PolicyError(f"unknown policy {spec.kind!r}; {nearest(spec.kind, KINDS)}")
    policy = KINDS[spec.kind](spec, embodiment)
    _check_sizes(policy, embodiment)
    from evla_ros.policy import fault_injection as faults

    wrappers: dict[str, Callable[..., Policy]] = {
        "slow": faults.SlowPolicy,
        "raising": faults.RaisingPolicy,
        "sticky": faults.StickyPolicy,
        "broken": faults.BrokenPolicy,
    }
    for name, options in spec.faults.items():
        if name not in wrappers:
            raise PolicyError(f"unknown fault {shorten(repr(name))}; {nearest(name, wrappers)}")
        try:
            policy = wrappers[name](policy, **options)
        except TypeError as error:
            raise PolicyError(f"fault {name!r}: {shorten(str(error))}") from error
    return policy


def _check_sizes(policy: Policy, embodiment: Embodiment) -> None:
    ours = (embodiment.action.chunk, action_columns(embodiment).size)
    theirs = (policy.chunk_length, policy.action_dim)
    if ours != theirs:
        raise PolicyError(
            f"the policy's chunks are {theirs[0]} x {theirs[1]}, the embodiment "
            f"{embodiment.name!r} needs {ours[0]} x {ours[1]} "
            f"(action.chunk x {_numbers_of(embodiment)})"
        )
    if policy.embodiment_hash not in ("", embodiment.content_hash):
        raise PolicyError(
            f"the policy was made for embodiment {policy.embodiment_hash[:12]}, "
            f"this is {embodiment.content_hash[:12]} ({embodiment.name})"
        )


def _numbers_of(embodiment: Embodiment) -> str:
    """Return what the numbers of an action are made of, in words."""
    words = ["7 per arm"]
    words += ["3 of the base"] if embodiment.base is not None else []
    words += ["1 per axis"] if embodiment.axes else []
    return " + ".join(words)


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
        spec.statistics or None,
        spec.runtime or None,
    )


def _remote(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.remote.address import ServerAddress
    from evla_ros.policy.remote.remote_policy import RemotePolicy

    if not spec.server:
        raise PolicyError("the policy 'remote' needs `server`: ws://HOST:PORT or wss://HOST:PORT")
    address = ServerAddress(spec.server, spec.token_file, spec.ca_file)
    return RemotePolicy(address, embodiment, spec.deadline_s, spec.image_encoding)


def _hold(_: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.fixed import HoldPolicy

    columns = action_columns(embodiment)
    return HoldPolicy(embodiment.action.chunk, columns, _measured_axes("hold", embodiment))


def _measured_axes(kind: str, embodiment: Embodiment) -> slice | None:
    """Return where proprio has the axes; PolicyError where it has not: they could not stay."""
    if not embodiment.axes:
        return None
    if "axes" not in embodiment.proprio:
        raise PolicyError(
            f"the policy {kind!r} cannot keep the axes of {embodiment.name!r} where they are: "
            "list 'axes' in proprio"
        )
    layout = proprio_layout(embodiment)
    places = [layout.slice_of(f"{axis.name}_axis") for axis in embodiment.axes]
    return slice(places[0].start, places[-1].stop)


def _circle(_: PolicySpec, embodiment: Embodiment) -> Policy:
    """Draw a circle of 5 cm radius in the y-z plane with every tool, one turn in four seconds."""
    from evla_ros.policy.fixed import ScriptedPolicy

    chunk, columns = embodiment.action.chunk, action_columns(embodiment)
    axes = _measured_axes("circle", embodiment)
    turn = 2 * np.pi / (4.0 * embodiment.rate_hz)

    def circle(observation: Observation) -> np.ndarray[Any, np.dtype[np.float64]]:
        phase = observation.stamp_ns / 1e9 * embodiment.rate_hz * turn
        angles = phase + turn * np.arange(chunk)
        actions = np.zeros((chunk, columns.size))
        for arm in columns.arms:
            actions[:, arm.start + 1] = 0.05 * turn * np.cos(angles)
            actions[:, arm.start + 2] = 0.05 * turn * np.sin(angles)
            actions[:, arm.stop - 1] = np.sin(phase) > 0
        if axes is not None:
            actions[:, list(columns.axes)] = observation.proprio[axes]
        return actions

    return ScriptedPolicy(circle, chunk, columns.size)


def _scripted(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.fixed import ScriptedPolicy

    module, _, name = spec.checkpoint.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise PolicyError(
            f"no function or class {spec.checkpoint!r}; `checkpoint` is module:function or "
            f"module:Class ({error})"
        ) from error
    if isinstance(function, type):
        return _made_by(function, embodiment)
    return ScriptedPolicy(function, embodiment.action.chunk, action_columns(embodiment).size)


def _made_by(kind: type, embodiment: Embodiment) -> Policy:
    """Return the policy that a user's class makes for a robot."""
    parts = ("embodiment_hash", "chunk_length", "action_dim", "infer", "reset")
    try:
        policy = kind(embodiment)
    except Exception as error:
        raise PolicyError(
            f"{kind.__name__} could not be made for {embodiment.name!r}: "
            f"{type(error).__name__}: {shorten(str(error))}"
        ) from error
    missing = [part for part in parts if not hasattr(policy, part)]
    if missing:
        raise PolicyError(
            f"{kind.__name__} is no policy: it lacks {', '.join(missing)} "
            "(evla_ros/policy/protocol.py)"
        )
    made: Policy = policy
    return made


def _replay(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.fixed import ReplayPolicy

    rows = _numbers(spec.checkpoint)
    tick_ns, columns = round(1e9 / embodiment.rate_hz), action_columns(embodiment)
    return ReplayPolicy(rows, embodiment.action.chunk, tick_ns, columns)


def _path(spec: PolicySpec, embodiment: Embodiment) -> Policy:
    from evla_ros.policy.path import PathPolicy

    return PathPolicy(_numbers(spec.checkpoint), embodiment)


def _numbers(file: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    problem = regular_file(Path(file))
    if problem:
        raise PolicyError(f"{shown(file)}: cannot be read as numbers (.npy): it {problem}")
    try:  # mapped: a header that promises more than the file has is refused, not allocated
        with open(file, "rb") as stream:  # noqa: PTH123 - an archive (.npz) is none
            if stream.read(len(_NUMPY)) != _NUMPY:
                raise TypeError("it does not begin like one")
        rows = np.array(np.load(file, mmap_mode="r", allow_pickle=False), np.float64)
    except (OSError, ValueError, TypeError, OverflowError, EOFError, SyntaxError) as error:
        raise PolicyError(
            f"{shown(file)}: cannot be read as numbers (.npy): {shorten(str(error))}"
        ) from error
    if not np.isfinite(rows).all():
        raise PolicyError(f"{shown(file)}: holds numbers that are not finite")
    return rows


KINDS: dict[str, Callable[[PolicySpec, Embodiment], Policy]] = {
    "evla": _evla,
    "hold": _hold,
    "circle": _circle,
    "scripted": _scripted,
    "replay": _replay,
    "path": _path,
    "remote": _remote,
}
