# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which steps of an episode are sampled, and which actions they teach."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.training.samples.standardize import StandardEpisode


def sampled_steps(episode: StandardEpisode) -> npt.NDArray[np.int32]:
    """Return the steps to learn from: those with counterfactual answers, or all without any.

    Steps that the transform leaves out are no part of either.
    """
    steps = np.arange(episode.first, episode.last, dtype=np.int32)
    if episode.learned is not None:
        steps = steps[episode.learned[steps]]
    labelled = episode.episode.columns.get("relabel_steps_0")
    chosen = steps[:0] if labelled is None else steps[np.asarray(labelled)[steps] > 0]
    return chosen if len(chosen) else steps


def taught_actions(episode: StandardEpisode) -> npt.NDArray[np.float32]:
    """Return the actions [N, D] that training learns: the recorded ones, step by step.

    In an episode whose actions do not follow the instruction (`follows_instruction` is False) they
    are the first actions of the expert's stored answers, so that the normalisation covers them.
    """
    columns = episode.episode.columns
    follows = episode.episode.metadata.get("follows_instruction", True)
    if follows or not np.any(columns.get("relabel_steps_0", 0)):
        return episode.action[episode.first : episode.last]
    answers = [columns["relabel_actions_0"][step][0] for step in sampled_steps(episode)]
    return np.asarray(answers, dtype=np.float32)
