# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A Ray Serve application as what answers questions at the door."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.policy.remote.contract import Contract
from evla_ros.policy.types import Observation
from evla_ros.serving.batcher import Computed
from evla_ros.serving.errors import ClosingError, LateError, ServingError
from evla_ros.serving.options import Serving

APPLICATION = "evla"
_LOAD_S = 600.0


class RayPolicy:
    """Describes the policy; its replicas prepare and compute."""

    def __init__(self, handle: Any, key: str, said: dict[str, Any]) -> None:
        """Take the application's handle and what a replica said of the policy."""
        self.handle, self.key = handle, key
        self.contract: Contract = said["contract"]
        self.model, self.runtime = str(said["model"]), f"ray, {said['runtime']}"

    def asker(self) -> RayAsker:
        """Return what asks the replicas."""
        return RayAsker(self)

    def prepare(self, observation: Observation) -> Observation:
        """Return it as it is: a replica prepares it."""
        return observation

    def infer(self, prepared: Sequence[Any]) -> list[Any]:  # pragma: no cover - RayAsker asks
        """Refuse: answers come through RayAsker."""
        raise ServingError(f"{len(prepared)} questions for a policy that only Ray computes")

    def warm_up(self, batch: int) -> float:  # noqa: ARG002 - replicas warm up by themselves
        """Do nothing."""
        return 0.0


class RayAsker:
    """Asks the application; queueing and batching are Ray's."""

    def __init__(self, policy: RayPolicy) -> None:
        """Take the policy."""
        self._policy, self._closing, self._open = policy, False, 0
        self._idle = asyncio.Event()

    async def ask(self, client: str, item: Any, until_s: float | None = None) -> Computed:
        """Return the answer to a question; see `Batcher.ask`."""
        del client
        if self._closing:
            raise ClosingError("the server is ending; ask again when it is back")
        start_s = time.monotonic()
        left_s = None if until_s is None else until_s - start_s
        response = self._policy.handle.infer.remote((self._policy.key, item))
        self._open += 1
        self._idle.clear()
        try:
            answer = await asyncio.wait_for(response, left_s)
        except asyncio.TimeoutError:
            response.cancel()
            raise LateError("its deadline passed before a replica had answered") from None
        except asyncio.CancelledError:
            response.cancel()
            raise
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()
        if isinstance(answer, EvlaError):
            raise answer
        return Computed(answer, 0.0, time.monotonic() - start_s, 1)

    async def close(self, grace_s: float) -> None:
        """Take no more questions, and wait for those under way while the time lasts."""
        self._closing = True
        if self._open:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._idle.wait(), grace_s)


def deploy(options: Serving) -> RayPolicy:
    """Run the application on the cluster that `--ray-address` names, or on this machine.

    Raises:
        ServingError: Ray Serve is not installed, or the application does not come up.
    """
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise ServingError(
            f"--engine ray needs Ray Serve ({error}): pip install 'ray[serve]' (107 MB beside ray)"
        ) from error

    if not ray.is_initialized():
        ray.init(
            address=options.ray_address or None,
            log_to_driver=False,
            include_dashboard=False,
            logging_level="ERROR",
        )
    serve.start(proxy_location="Disabled")
    handle, key = _handle(options)
    try:
        said = handle.describe.remote(key).result(timeout_s=_LOAD_S)
    except Exception as error:
        raise ServingError(f"no replica could load {key!r}: {error}") from error
    return RayPolicy(handle.options(multiplexed_model_id=key), key, said)


def _handle(options: Serving) -> tuple[Any, str]:
    """Return the application that runs already, or a new one, and the key of the policy."""
    from ray import serve

    from evla_ros.serving.ray_app import application

    if APPLICATION in serve.status().applications:  # from a Serve config file
        return serve.get_app_handle(APPLICATION), options.policy
    app = application(
        options,
        {options.policy: options.policy},
        gpus=options.ray_gpus,
        replicas=(options.ray_replicas[0], options.ray_replicas[-1]),
    )
    return serve.run(app, name=APPLICATION, route_prefix=None), options.policy


def end(options: Serving) -> None:
    """Leave the cluster; one that was started here ends."""
    import ray
    from ray import serve

    if not options.ray_address:
        serve.shutdown()
    ray.shutdown()
