# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The EVLA network as a policy in this process; torch is imported only when one is built."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from evla_ros.data.camera_shapes import Size, other_aspects
from evla_ros.embodiment import Embodiment, differences, parse_embodiment
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.types import Chunk, Observation

_LOG = logging.getLogger(__name__)


class EvlaPolicy:
    """A checkpoint that answers the observations of one robot."""

    def __init__(
        self,
        checkpoint: str,
        embodiment: Embodiment,
        device: str = "cpu",
        dtype: str | None = None,
        decode: str | None = None,
        threads: int = 0,
        statistics: str | None = None,
        runtime: str | None = None,
    ) -> None:
        """Load the weights.

        Args:
            checkpoint: the checkpoint folder.
            embodiment: the robot that will act.
            device: `cpu`, `cuda` or `cuda:1`.
            dtype: number format of the weights; None keeps the stored one, on a GPU bf16.
            decode: `joint` or `autoregressive`; None takes the checkpoint's.
            threads: threads of the network on the CPU; 0 leaves the choice to torch.
            statistics: the dataset whose statistics un-normalise; None takes the only one, or of
                several that with the robot's name.
            runtime: `torch`, `openvino`, `onnx`, or `auto`: the fastest that is there; None takes
                what an exported checkpoint was exported for, else torch.

        Raises:
            PolicyError: PyTorch is missing, or the checkpoint was made for another robot; the
                message names the fields that differ.
            CheckpointError: It cannot be loaded, or answers with numbers that are not finite.
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
        self._predictor = Predictor(
            checkpoint,
            device,
            dtype,
            decode,  # type: ignore[arg-type]
            statistics_key=statistics,
            robot=embodiment.name,
            static_shapes=device.startswith("cuda"),
            runtime=runtime,
        )
        self._predictor.check_answer()
        if self._predictor.static_shapes:
            self._capture_graphs()
        self._has_proprio = bool(self._predictor.config.proprio_dim)
        self.about = self._predictor.note or self._predictor.network.name
        self.cameras = tuple(self._predictor.config.image.cameras)
        self.chunk_length = self._predictor.chunk_length
        self.action_dim = self._predictor.action_dim
        self.embodiment_hash = _checked_hash(self._predictor.embodiment_text, embodiment)
        self._shapes: dict[str, Size] = {}

    def _capture_graphs(self) -> None:
        """Capture what a GPU replays, for prompts of every length, before the robot moves."""
        try:
            self._predictor.warm_up()
        except RuntimeError as error:
            self._predictor.static_shapes = False
            _LOG.warning("no CUDA graphs, every step is launched kernel by kernel: %s", error)

    def infer(self, observation: Observation) -> Chunk:
        """Return the chunk that the network predicts from the cameras it was trained with.

        Raises:
            PolicyError: A camera has another aspect ratio than in the training data.
        """
        start = time.perf_counter_ns()
        proprio = observation.proprio if self._has_proprio else None
        # A robot may have more cameras than the network looks at.
        images = {name: observation.images[name] for name in self.cameras}
        self._check_shapes(images)
        actions = self._predictor.predict(images, proprio, observation.instruction)
        rows = np.asarray(actions, dtype=np.float64)
        return Chunk(observation.stamp_ns, rows, time.perf_counter_ns() - start)

    def _check_shapes(self, images: Mapping[str, npt.NDArray[np.uint8]]) -> None:
        """Refuse a camera of another aspect ratio than those that the network learned from.

        Black pictures alone are not judged: a node asks with them before it has heard a camera.

        Raises:
            PolicyError: With both sizes.
        """
        shapes = {name: (image.shape[0], image.shape[1]) for name, image in images.items()}
        if shapes == self._shapes or not any(image.any() for image in images.values()):
            return
        ours = {name: (size,) for name, size in shapes.items()}
        odd = other_aspects(
            ours, self._predictor.cameras, "the robot's images", "the training data"
        )
        if odd:
            raise PolicyError(f"{'; '.join(odd)}: set the camera as it was when it was recorded")
        self._shapes = shapes

    def reset(self) -> None:
        """Do nothing: the network looks at one observation at a time."""


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
