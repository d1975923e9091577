# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The gate between training and serving: the same frame has to give the same action tokens.

Training side: the trainer's own batches through the network. Serving side: the live policy node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.robot_snapshot import RobotSnapshot
from evla_ros.embodiment import Embodiment, parse_embodiment
from evla_ros.training.errors import TrainingError
from evla_ros.training.evaluation.dataset_snapshot import snapshot_of

if TYPE_CHECKING:
    from evla_ros.model.predictor import Predictor
    from evla_ros.training.samples.source import Source

Float = npt.NDArray[np.float64]
# Shows moments of a robot to its live policy node; returns the chunks [N, K, D] that it answers.
AskLive = Callable[[Embodiment, Sequence[RobotSnapshot]], Float]
EDGE = 1e-4  # of the normalised range -1..1: less is rounding, which may cross the edge of a bin


@dataclass(frozen=True, eq=False)
class Parity:
    """What the two sides answered to N frames.

    Attributes:
        training: Chunks [N, K, D] of the trainer, in the network's range from -1 to 1.
        live: Chunks [N, K, D] of the live node, likewise.
        tokens_training: The token ids [N, K, D] of `training`.
        tokens_live: The token ids [N, K, D] of `live`.
    """

    training: Float
    live: Float
    tokens_training: npt.NDArray[np.int64]
    tokens_live: npt.NDArray[np.int64]

    @property
    def passed(self) -> bool:
        """Whether every token agrees; of equal values on the edge of two bins it may differ."""
        apart = self.tokens_training != self.tokens_live
        return bool((np.abs(self.training - self.live)[apart] < EDGE).all())

    def report(self) -> dict[str, Any]:
        """Return the counts and the verdict, for JSON."""
        return {
            "frames": len(self.training),
            "tokens": int(self.tokens_live.size),
            "tokens_equal": float((self.tokens_training == self.tokens_live).mean()),
            "largest_difference": float(np.abs(self.training - self.live).max()),
            "passed": self.passed,
        }


def check_parity(predictor: Predictor, source: Source, frames: int, ask_live: AskLive) -> Parity:
    """Show at most `frames` frames of a split to both sides.

    Args:
        predictor: The checkpoint as the trainer sees it.
        source: The split; the frames are spread evenly over it.
        frames: How many frames, at most.
        ask_live: Asks the live node.

    Raises:
        TrainingError: The dataset is not of the checkpoint's robot.
    """
    embodiment = _robot(predictor, source)
    numbers = np.unique(np.linspace(0, len(source) - 1, min(frames, len(source))).astype(int))
    chosen = [source.locate(int(number)) for number in numbers]
    raw = np.stack([_training_chunk(predictor, source, *where) for where in chosen])
    moments = [snapshot_of(source.episode(index), step, embodiment) for index, step in chosen]
    live = ask_live(embodiment, moments)
    normalizer, tokenizer = predictor.action_normalizer, predictor.action_tokenizer
    trained = normalizer.normalize(normalizer.unnormalize(raw))  # within the range, as served
    served = normalizer.normalize(live)
    return Parity(trained, served, tokenizer.encode(trained), tokenizer.encode(served))


def _training_chunk(predictor: Predictor, source: Source, index: int, step: int) -> Float:
    """Return the normalised chunk [K, D] that the trainer's batch and forward give."""
    import torch

    from evla_ros.model.decode import decode_joint
    from evla_ros.model.runtimes.torch_network import TorchNetwork
    from evla_ros.training.samples.batch import Collator
    from evla_ros.training.samples.sample import Sample, own_answer

    config, episode = predictor.config, source.episode(index)
    images = {c: episode.episode.image(episode.cameras[c], step) for c in config.image.cameras}
    proprio = None if episode.proprio is None or not config.proprio_dim else episode.proprio[step]
    answer = own_answer(episode, step, predictor.chunk_length)
    if config.action.decode != "joint":  # the trainer only ever feeds the true tokens there
        physical = predictor.predict(images, proprio, answer.instruction)
        return np.asarray(predictor.action_normalizer.normalize(physical))
    normalizers = ([predictor.action_normalizer], [predictor.proprio_normalizer])
    collate = Collator(predictor.processor, *normalizers, config.prompt.max_tokens)
    batch = collate([(0, Sample(images, proprio, (answer,), {}), None)])
    head = config.action.output
    with torch.inference_mode():
        if not isinstance(predictor.network, TorchNetwork):
            flat = _without_axis(batch.inputs)
            return np.asarray(predictor.network.decode(flat)[0].numpy())
        if head == "l1":
            actions = predictor.model.forward_joint(batch.inputs.to(predictor.device)).of_head(head)
            return np.asarray(actions[0, 0].double().cpu().numpy())
        flat = _without_axis(batch.inputs).to(predictor.device)
        return np.asarray(decode_joint(predictor.model, flat, head)[0].cpu().numpy())


def _without_axis(inputs: Any) -> Any:
    from dataclasses import replace

    return replace(inputs, input_ids=inputs.input_ids[:, 0], text_lengths=inputs.text_lengths[:, 0])


def _robot(predictor: Predictor, source: Source) -> Embodiment:
    texts = (predictor.embodiment_text, source.dataset.embodiment_text)
    if not texts[0] or not texts[1]:
        lacks = "the checkpoint" if not texts[0] else f"dataset {source.name!r}"
        raise TrainingError(f"{lacks} has no embodiment.yaml; the live node cannot be its robot")
    ours, theirs = (parse_embodiment(text, source="embodiment.yaml") for text in texts if text)
    if ours.content_hash != theirs.content_hash:
        raise TrainingError(
            f"the checkpoint is for {ours.name!r}, dataset {source.name!r} is from another robot "
            f"({theirs.name!r}) or another version of its file"
        )
    return ours


def sentences(report: dict[str, Any]) -> str:
    """Return the report of a comparison as one sentence."""
    verdict = "passed" if report["passed"] else "FAILED"
    return (
        f"live node against training: {verdict}; {100 * report['tokens_equal']:.2f} % of "
        f"{report['tokens']} tokens of {report['frames']} frames are equal, largest difference "
        f"{report['largest_difference']:.1e} of the range -1..1"
    )
