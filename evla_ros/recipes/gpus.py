# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which GPUs each of several trainings sees that run side by side."""

from __future__ import annotations

import os

from evla_ros.training.errors import TrainingError


def visible_gpus(processes: int, parallel: int) -> list[dict[str, str]]:
    """Return the environment of each of several networks that are trained side by side.

    Args:
        processes: how many processes train a network together.
        parallel: how many networks.

    Raises:
        TrainingError: there are GPUs, but fewer than processes.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count or parallel < 2:
        return [{} for _ in range(parallel)]
    if count < processes * parallel:
        raise TrainingError(
            f"--parallel {parallel} with --processes {processes} takes {processes * parallel} "
            f"GPUs; there are {count}"
        )
    known = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    names = known if known != [""] else [str(number) for number in range(count)]
    shares = [names[i * processes : (i + 1) * processes] for i in range(parallel)]
    return [{"CUDA_VISIBLE_DEVICES": ",".join(share)} for share in shares]
