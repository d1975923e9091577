# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The EVLA network as a policy in this process; torch is imported when one is built."""

from __future__ import annotations

import time

import numpy as np

from evla_ros.embodiment import Embodiment, differences, parse_embodiment
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.types import Chunk, Observation


class EvlaPolicy:
    """A checkpoint folder that answers for one embodiment."""

    def __init__(
        self,
        checkpoint: str,
        embodiment: Embodiment,
        device: str = "cpu",
        dtype: str | None = None,
        decode: str | None = None,
        threads: int = 0,
    ) -> None:
        """Load the weights; threads: of torch on the CPU, 0 leaves its own choice.

        Raises PolicyError when the checkpoint was made for another robot, naming the fields.
        """
        try:
            import torch

            from evla_ros.model.predictor import Predictor
        except ImportError as error:
            raise PolicyError(
                f"the EVLA policy needs PyTorch ({error.name} is not installed); "
                "install the extra 'model' or use a policy server"
            ) from error
        if threads > 0:
            torch.set_num_threads(threads)
        self._predictor = Predictor(checkpoint, device, dtype, decode)  # type: ignore[arg-type]
        self._has_proprio = bool(self._predictor.config.proprio_dim)
        self.cameras = tuple(self._predictor.config.image.cameras)
        self.chunk_length = self._predictor.chunk_length
        self.action_dim = self._predictor.action_dim
        self.embodiment_hash = _checked_hash(self._predictor.embodiment_text, embodiment)

    def infer(self, observation: Observation) -> Chunk:
        """Return the chunk of one forward."""
        start = time.perf_counter_ns()
        proprio = observation.proprio if self._has_proprio else None
        # A robot may have more cameras than the network looks at.
        images = {name: observation.images[name] for name in self.cameras}
        actions = self._predictor.predict(images, proprio, observation.instruction)
        rows = np.asarray(actions, dtype=np.float64)
        return Chunk(observation.stamp_ns, rows, time.perf_counter_ns() - start)

    def reset(self) -> None:
        """Do nothing; the network looks at one observation only."""


def _checked_hash(theirs_text: str | None, ours: Embodiment) -> str:
    if not theirs_text:
        return ""
    theirs = parse_embodiment(theirs_text, source="the checkpoint's embodiment.yaml")
    differing = differences(ours, theirs)
    if differing:
        shown = "; ".join(differing[:4]) + ("; ..." if len(differing) > 4 else "")
        raise PolicyError(
            f"the checkpoint was made for another robot: {shown} "
            "(here: the embodiment file, there: the checkpoint); use the file it was trained with"
        )
    return theirs.content_hash
