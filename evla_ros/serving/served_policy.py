# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the server asks of a policy, and the two kinds there are: a checkpoint, and any other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.remote.contract import Contract, contract_of, digest
from evla_ros.policy.spec import KINDS, PolicySpec, build_policy
from evla_ros.policy.types import Observation
from evla_ros.serving.errors import ServingError
from evla_ros.serving.options import Serving

Actions = npt.NDArray[np.float64]


class ServedPolicy(Protocol):
    """A policy that answers several questions at once.

    Attributes:
        contract: what it says of itself.
        model: what it is, in a word.
        runtime: what computes it: library, number format, device.
    """

    contract: Contract
    model: str
    runtime: str

    def prepare(self, observation: Observation) -> Any:
        """Return an observation as `infer` takes it; may run beside `infer`.

        Raises:
            EvlaError: it cannot answer this observation.
        """

    def infer(self, prepared: Sequence[Any]) -> list[Actions]:
        """Return [K, D] for each; one call at a time."""

    def warm_up(self, batch: int) -> float:
        """Compute a batch of that size; returns the milliseconds it took."""


class CheckpointPolicy:
    """A checkpoint folder; a batch is one step of the network."""

    def __init__(self, options: Serving) -> None:
        """Load the weights.

        Raises:
            EvlaError: PyTorch is missing, or the checkpoint or an option cannot be used.
        """
        try:
            import torch

            from evla_ros.model.predictor import Predictor
        except ImportError as error:
            raise ServingError(
                f"serving a checkpoint needs PyTorch ({error.name} is not installed): "
                "pip install 'evla_ros[model]'"
            ) from error
        if options.threads > 0:
            torch.set_num_threads(options.threads)
        given = load_embodiment(options.embodiment) if options.embodiment else None
        self._predictor = Predictor(
            options.policy,
            options.device,
            options.dtype or None,
            options.decode or None,  # type: ignore[arg-type]
            statistics_key=options.statistics or None,
            robot=given.name if given else None,
            static_shapes=options.static_shapes,
            runtime=options.runtime or None,
        )
        self._predictor.check_answer()
        config = self._predictor.config
        self._has_proprio = bool(config.proprio_dim)
        self.contract = self._contract_with(given)
        output = self._predictor.output or config.action.output
        decode = self._predictor.decode or config.action.decode
        self.model = f"{config.name} {config.action.chunk}x{config.action.dim} {decode} {output}"
        self.runtime = self._predictor.network.name

    def prepare(self, observation: Observation) -> Any:
        """Resize the images and tokenise the instruction."""
        proprio = observation.proprio if self._has_proprio else None
        return self._predictor.prepare(observation.images, proprio, observation.instruction)

    def infer(self, prepared: Sequence[Any]) -> list[Actions]:
        """Compute them together."""
        return self._predictor.predict_batch(prepared)

    def warm_up(self, batch: int) -> float:
        """Compute grey images."""
        return self._predictor.warm_up(batch=batch)

    def _contract_with(self, given: Any) -> Contract:
        """Return the contract of the checkpoint's robot, of the one that is given, or of none."""
        predictor, config = self._predictor, self._predictor.config
        text = predictor.embodiment_text
        robot = parse_embodiment(text, source="the checkpoint's embodiment.yaml") if text else given
        if text and given and given.content_hash != robot.content_hash:
            raise ServingError(
                f"--embodiment {given.name}: the checkpoint holds another embodiment file "
                f"({robot.name} {robot.content_hash[:12]}); leave the option out"
            )
        statistics = digest(dict(predictor.statistics.datasets[predictor.key]))
        cameras = tuple(config.image.cameras)
        if robot is not None:
            return contract_of(robot, cameras, proprio=self._has_proprio, statistics=statistics)
        actions = tuple(f"action_{n}" for n in range(config.action.dim))
        state = tuple(f"state_{n}" for n in range(config.proprio_dim))
        units = ("",) * len(actions)
        return Contract(cameras, state, actions, units, config.action.chunk, 0.0, "", statistics)


class PlainPolicy:
    """Any policy of a robot: one observation after the other."""

    def __init__(self, policy: Policy, contract: Contract, model: str) -> None:
        """Serve a policy that was built already."""
        self._policy, self.contract, self.model = policy, contract, model
        self.runtime = "numpy cpu"

    def prepare(self, observation: Observation) -> Observation:
        """Return it as it is."""
        return observation

    def infer(self, prepared: Sequence[Any]) -> list[Actions]:
        """Ask one after the other."""
        return [np.asarray(self._policy.infer(one).actions, np.float64) for one in prepared]

    def warm_up(self, batch: int) -> float:  # noqa: ARG002 - nothing to compile
        """Do nothing."""
        return 0.0


def load_policy(options: Serving) -> ServedPolicy:
    """Return the policy that the command line names.

    Raises:
        EvlaError: there is none, or it cannot be built.
    """
    if Path(options.policy).is_dir():
        return CheckpointPolicy(options)
    kind, _, argument = options.policy.partition(":")
    if kind not in KINDS or kind in ("evla", "remote"):
        others = ", ".join(name for name in KINDS if name not in ("evla", "remote"))
        raise ServingError(
            f"no policy {options.policy!r}: neither a checkpoint folder nor one of {others}"
        )
    if not options.embodiment:
        raise ServingError(f"the policy {kind!r} needs --embodiment: the robot it is for")
    for name in ("dtype", "decode", "statistics", "static_shapes", "runtime"):
        if getattr(options, name):
            raise EvlaError(f"--{name.replace('_', '-')} has no effect with the policy {kind!r}")
    robot = load_embodiment(options.embodiment)
    built = build_policy(PolicySpec(kind, robot.text, checkpoint=argument))
    contract = contract_of(robot, tuple(robot.cameras), proprio=bool(robot.proprio))
    return PlainPolicy(built, contract, options.policy)
