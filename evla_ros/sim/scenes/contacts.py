# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who touches whom, from MuJoCo's contact list."""

from __future__ import annotations

import mujoco
import numpy as np


def touching(data: mujoco.MjData, geom: int) -> set[int]:
    """Return the geoms in contact with a geom."""
    pairs = data.contact.geom[: data.ncon]
    hits = pairs[(pairs == geom).any(axis=1)]
    return set(np.unique(hits).tolist()) - {geom}
