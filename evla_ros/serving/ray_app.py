# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The same policy as a Ray Serve application: replicas, parts of a GPU, autoscaling by the queue.

`build` is what a Serve config file imports (config/serving/ray.yaml). Robots do not talk to Ray:
`evla serve --engine ray` is the door, with the wire and the checks of a server without Ray.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ray import serve

from evla_ros.errors import EvlaError, nearest
from evla_ros.policy.errors import is_sticky
from evla_ros.policy.types import Observation
from evla_ros.serving.errors import ServingError
from evla_ros.serving.options import Serving
from evla_ros.serving.served_policy import ServedPolicy, load_policy

MODELS_PER_REPLICA = 2


class Replica:
    """Holds up to MODELS_PER_REPLICA policies; computes what waits together, per policy."""

    def __init__(self, options: Serving, checkpoints: Mapping[str, str]) -> None:
        """Take what to load when it is asked for; the first one is loaded now.

        Args:
            options: as of `evla serve`.
            checkpoints: embodiment hash -> checkpoint folder, or policy.
        """
        self._options, self._checkpoints = options, dict(checkpoints)
        self.infer.set_max_batch_size(options.max_batch)  # type: ignore[attr-defined]
        self._broken = False

    @serve.multiplexed(max_num_models_per_replica=MODELS_PER_REPLICA)
    async def policy(self, key: str) -> ServedPolicy:
        """Load the policy of an embodiment hash; of many the longest unasked one is dropped."""
        options = replace(self._options, policy=self._checkpoints[key])
        loaded = await asyncio.to_thread(load_policy, options)
        await asyncio.to_thread(loaded.warm_up, 1)
        return loaded

    async def describe(self, key: str) -> dict[str, Any]:
        """Return contract, model and runtime of a policy."""
        loaded = await self.policy(key)
        return {"contract": loaded.contract, "model": loaded.model, "runtime": loaded.runtime}

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.0)
    async def infer(self, questions: list[tuple[str, Observation]]) -> list[Any]:
        """Return for each question its actions, or the sentence that refuses it."""
        answers: list[Any] = [None] * len(questions)
        for key in dict.fromkeys(key for key, _ in questions):
            mine = [index for index, (other, _) in enumerate(questions) if other == key]
            loaded = await self.policy(key)
            prepared = []
            for index in mine:
                try:
                    prepared.append((index, loaded.prepare(questions[index][1])))
                except EvlaError as error:
                    answers[index] = error
            await self._compute(loaded, prepared, answers)
        return answers

    async def _compute(
        self, loaded: ServedPolicy, prepared: list[tuple[int, Any]], answers: list[Any]
    ) -> None:
        if not prepared:
            return
        try:
            rows = await asyncio.to_thread(loaded.infer, [item for _, item in prepared])
        except Exception as error:
            self._broken = is_sticky(error)
            raise
        for (index, _), actions in zip(prepared, rows, strict=True):
            answers[index] = actions

    def check_health(self) -> None:
        """Tell Ray to replace a replica whose accelerator failed for good."""
        if self._broken:
            raise RuntimeError("the accelerator failed in this process")


def application(
    options: Serving,
    checkpoints: Mapping[str, str],
    *,
    gpus: float = 0.0,
    replicas: tuple[int, int] = (1, 1),
) -> Any:
    """Return the Serve application.

    Args:
        options: as of `evla serve`.
        checkpoints: embodiment hash -> checkpoint folder, or policy.
        gpus: part of a GPU per replica; 0.25 puts four on one.
        replicas: the fewest and the most; between them the questions under way decide.
    """
    least, most = replicas
    scaling = {
        "min_replicas": least,
        "max_replicas": most,
        "target_ongoing_requests": max(1, options.max_batch // 2),
    }
    deployment = serve.deployment(
        name="policy",
        autoscaling_config=scaling,
        max_ongoing_requests=4 * options.max_batch,
        ray_actor_options={"num_gpus": gpus, "num_cpus": 1},
    )(Replica)
    return deployment.bind(options, dict(checkpoints))


def build(args: dict[str, Any]) -> Any:
    """Return the application of a Serve config file.

    Args:
        args: `checkpoints` (embodiment hash -> folder), `gpus`, `replicas` [least, most], and
            options of `evla serve` under their names, such as `device` and `max_batch`.

    Raises:
        ServingError: a name is unknown, or there are no checkpoints.
    """
    known = {field.name for field in fields(Serving)} - {"policy"}
    own = {"checkpoints", "gpus", "replicas"}
    for name in args:
        if name not in known | own:
            raise ServingError(f"unknown argument {name!r}; {nearest(name, sorted(known | own))}")
    checkpoints = args.get("checkpoints") or {}
    if not checkpoints:
        raise ServingError("args.checkpoints maps embodiment hashes to checkpoint folders")
    options = Serving(
        next(iter(checkpoints.values())), **{k: v for k, v in args.items() if k in known}
    )
    least, most = args.get("replicas", (1, 1))
    return application(
        options, checkpoints, gpus=float(args.get("gpus", 0)), replicas=(int(least), int(most))
    )
