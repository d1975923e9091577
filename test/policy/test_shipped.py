# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checkpoints in the repository: whole, small, and what the policy node takes by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.shipped import shipped_checkpoint
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Observation

FOLDERS = sorted(path for path in Path("checkpoints").glob("*") if path.is_dir())
MOST_BYTES = 15_000_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_shipped_checkpoint_is_whole_small_and_for_a_shipped_robot(folder):
    pytest.importorskip("torch", reason="the EVLA policy needs PyTorch: `make build`")
    from evla_ros.model.checkpoint import verify_checkpoint

    verify_checkpoint(folder)
    body = load_embodiment(folder.name)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MOST_BYTES
    own = parse_embodiment((folder / "embodiment.yaml").read_text(), source=str(folder))
    assert own.content_hash == body.content_hash


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_the_policy_evla_takes_it_when_no_checkpoint_is_named(folder):
    pytest.importorskip("torch", reason="the EVLA policy needs PyTorch: `make build`")
    body = load_embodiment(folder.name)
    assert shipped_checkpoint(body) is not None
    policy = build_policy(PolicySpec("evla", body.text))
    image = np.full((96, 96, 3), 127, dtype=np.uint8)
    state = np.zeros(8 * len(body.arms), dtype=np.float32)
    state[6::8] = 1.0
    words = ("reach the red block", "open the drawer")
    chunks = [
        policy.infer(Observation(0, dict.fromkeys(body.cameras, image), state, instruction))
        for instruction in words
    ]
    assert chunks[0].actions.shape == (body.action.chunk, 7 * len(body.arms))
    assert np.isfinite(chunks[0].actions).all()
    assert not np.array_equal(chunks[0].actions, chunks[1].actions), "it hears the words"


def test_a_robot_without_one_is_named():
    text = load_embodiment("tabletop_arm").text.replace("name: tabletop_arm", "name: other_robot")
    body = parse_embodiment(text, source="test")
    assert shipped_checkpoint(body) is None
    with pytest.raises(PolicyError, match="none ships for 'other_robot'"):
        build_policy(PolicySpec("evla", text))
