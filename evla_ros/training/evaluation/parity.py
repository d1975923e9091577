# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The gate between training and serving: the same frame has to give the same action tokens.

Training side: the trainer's own batches through the network. Serving side: the live policy node.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment, parse_embodiment, proprio_layout
from evla_ros.geometry.pose import Pose
from evla_ros.training.errors import TrainingDataError, TrainingError

if TYPE_CHECKING:
    from evla_ros.model.predictor import Predictor
    from evla_ros.ros.live_replay import Frame
    from evla_ros.training.samples.source import Source
    from evla_ros.training.samples.standardize import StandardEpisode

Float = npt.NDArray[np.float64]
EDGE = 1e-4  # of the normalised range -1..1: less is rounding, which may cross the edge of a bin


@dataclass(frozen=True, eq=False)
class Parity:
    """training, live [N, K, D] in the normalised range; tokens_* [N, K, D] their bins."""

    training: Float
    live: Float
    tokens_training: npt.NDArray[np.int64]
    tokens_live: npt.NDArray[np.int64]

    @property
    def passed(self) -> bool:
        """Whether every token is the same (or its value is, and lies on the edge of two bins)."""
        apart = self.tokens_training != self.tokens_live
        return bool((np.abs(self.training - self.live)[apart] < EDGE).all())

    def report(self) -> dict[str, Any]:
        """Return what a person or a machine wants to know of it."""
        return {
            "frames": len(self.training),
            "tokens": int(self.tokens_live.size),
            "tokens_equal": float((self.tokens_training == self.tokens_live).mean()),
            "largest_difference": float(np.abs(self.training - self.live).max()),
            "passed": self.passed,
        }


def check_parity(
    predictor: Predictor, source: Source, frames: int, checkpoint: Path, device: str
) -> Parity:
    """Show at most `frames` frames of a split to both sides.

    Raises TrainingError when ROS 2 is not here or the dataset is not of the checkpoint's robot.
    """
    embodiment = _robot(predictor, source)
    numbers = np.unique(np.linspace(0, len(source) - 1, min(frames, len(source))).astype(int))
    chosen = [source.locate(int(number)) for number in numbers]
    raw = np.stack([_training_chunk(predictor, source, *place) for place in chosen])
    live = _live_chunks(checkpoint, embodiment, source, chosen, device)
    normalizer, tokenizer = predictor.action_normalizer, predictor.model.action_tokenizer
    trained = normalizer.normalize(normalizer.unnormalize(raw))  # within the range, as served
    served = normalizer.normalize(live)
    return Parity(trained, served, tokenizer.encode(trained), tokenizer.encode(served))


def frame_of(episode: StandardEpisode, step: int, embodiment: Embodiment) -> Frame:
    """Return what the robot's sensors said at a step; TrainingDataError when one is lacking."""
    from evla_ros.ros.live_replay import Frame

    data = episode.episode
    missing = [name for name in embodiment.cameras if name not in episode.cameras]
    if missing or episode.proprio is None:
        lacks = f"camera {missing[0]!r}" if missing else "`state`"
        raise TrainingDataError(f"{data.episode_id} lacks {lacks}, which the live node waits for")
    pictures: dict[str, Any] = {}
    for name, camera in embodiment.cameras.items():
        key = episode.cameras[name]
        raw = camera.transport == "raw"
        pictures[name] = data.image(key, step) if raw else bytes(data.images[key][step])
    parts = _state_parts(np.asarray(episode.proprio[step], dtype=np.float64), embodiment)
    return Frame(*parts, pictures, str(data.instructions[step]))


def _state_parts(
    state: Float, embodiment: Embodiment
) -> tuple[dict[str, Pose], dict[str, float], dict[str, float]]:
    layout = proprio_layout(embodiment)
    if "ee_pose" not in embodiment.proprio:
        raise TrainingError(
            f"the proprio of {embodiment.name!r} has no ee_pose; its frames cannot be replayed"
        )
    poses: dict[str, Pose] = {}
    openings: dict[str, float] = {}
    joints: dict[str, float] = {}
    for arm in embodiment.arms:
        position = state[layout.slice_of(f"{arm.name}_ee_position")]
        poses[arm.name] = Pose(position, state[layout.slice_of(f"{arm.name}_ee_quaternion")])
        openings[arm.name] = 1.0
        if "gripper" in embodiment.proprio:
            openings[arm.name] = float(state[layout.slice_of(f"{arm.name}_gripper")][0])
        if "joint_positions" in embodiment.proprio:
            values = state[layout.slice_of(f"{arm.name}_joints")].tolist()
            joints.update(zip(arm.joints, values, strict=True))
    return poses, openings, joints


def _training_chunk(predictor: Predictor, source: Source, index: int, step: int) -> Float:
    """Return the normalised chunk [K, D] that the trainer's batch and forward give."""
    import torch

    from evla_ros.model.decode import decode_joint
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
        if head == "l1":
            actions = predictor.model.forward_joint(batch.inputs.to(predictor.device)).of_head(head)
            return np.asarray(actions[0, 0].double().cpu().numpy())
        flat = _without_axis(batch.inputs).to(predictor.device)
        return np.asarray(decode_joint(predictor.model, flat, head)[0].cpu().numpy())


def _without_axis(inputs: Any) -> Any:
    from dataclasses import replace

    return replace(inputs, input_ids=inputs.input_ids[:, 0], text_lengths=inputs.text_lengths[:, 0])


def _live_chunks(
    checkpoint: Path,
    embodiment: Embodiment,
    source: Source,
    places: list[tuple[int, int]],
    device: str,
) -> Float:
    try:
        from evla_ros.ros.live_replay import live_policy
    except ImportError as error:
        raise TrainingError(
            f"--live needs ROS 2 and the built interfaces ({error}); run `make build` and "
            "`. ./env.sh`"
        ) from error
    frames = [frame_of(source.episode(index), step, embodiment) for index, step in places]
    with live_policy(checkpoint, embodiment, device) as node:
        return np.stack([node.ask(frame) for frame in frames])


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
    """Return the report as text."""
    verdict = "passed" if report["passed"] else "FAILED"
    return (
        f"live node against training: {verdict}; {100 * report['tokens_equal']:.2f} % of "
        f"{report['tokens']} tokens of {report['frames']} frames are equal, largest difference "
        f"{report['largest_difference']:.1e} of the range -1..1"
    )
