# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network moved to a robot with several arms: what it keeps, and how it reads and moves each."""

from __future__ import annotations

import pytest
import torch

from evla_ros.embodiment import load_embodiment, proprio_columns_of_arms
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.presets import load_preset
from evla_ros.training.model_changes.transplant import adapted_config, transplant

CHUNK = 4


def test_two_arms_keep_the_encoders_and_the_language_model(tiny_preset):
    one = EvlaModel(load_preset(tiny_preset, proprio_dim=8))
    config = adapted_config(
        one.config, chunk=CHUNK, dim=14, cameras=["primary", "left_wrist"], proprio_dim=16
    )
    two = transplant(one, config)
    assert two.slot_embedding.shape[0] == CHUNK * 14
    for part in ("backbones", "projector", "language_model"):
        kept = dict(getattr(two, part).named_parameters())
        assert all(torch.equal(kept[n], p) for n, p in getattr(one, part).named_parameters())


def test_each_arm_begins_with_the_slots_of_the_one_arm(tiny_preset):
    one = EvlaModel(load_preset(tiny_preset, chunk=CHUNK))
    settings = {"chunk": CHUNK, "cameras": ["primary"], "proprio_dim": 0}
    old = one.slot_embedding.view(CHUNK, 7, -1)
    two = transplant(one, adapted_config(one.config, dim=14, **settings))
    arms = two.slot_embedding.view(CHUNK, 2, 7, -1)
    for arm in (0, 1):
        assert torch.equal(arms[:, arm], old)
    odd = transplant(one, adapted_config(one.config, dim=9, **settings))
    assert not torch.equal(odd.slot_embedding.view(CHUNK, 9, -1)[:, :7], old)


def test_each_arm_begins_with_the_motion_of_the_one_arm(tiny_preset):
    one = EvlaModel(load_preset(tiny_preset, chunk=CHUNK, proprio_dim=8)).eval()
    cameras = one.config.image.cameras
    columns = proprio_columns_of_arms(load_embodiment("humanoid_upper_body"))
    settings = {"chunk": CHUNK, "dim": 14, "cameras": cameras, "proprio_dim": 16}
    two = transplant(one, adapted_config(one.config, **settings, arm_columns=columns)).eval()
    states = torch.randn(1, CHUNK, 2, 7, one.slot_embedding.shape[1])
    both = two.l1_head(states.flatten(1, 3))
    for arm in (0, 1):
        alone = one.l1_head(states[:, :, arm].flatten(1, 2))
        torch.testing.assert_close(both[..., 7 * arm : 7 * arm + 7], alone)
    left, right = torch.randn(2, 1, 8)
    state = torch.cat([left[:, :7], right[:, :7], left[:, 7:], right[:, 7:]], dim=1)
    tokens = two.encode_proprio(state) - two.arm_embedding
    torch.testing.assert_close(tokens, one.encode_proprio(torch.cat([left, right])).transpose(0, 1))
    again = adapted_config(two.config, **settings)
    assert again == two.config  # the same robot again reads its arms as before


def test_a_network_of_two_arms_reads_each_by_itself(tiny_preset):
    columns = proprio_columns_of_arms(load_embodiment("humanoid_upper_body"))
    config = load_preset(tiny_preset, dim=14, proprio_dim=16, arm_columns=columns)
    model = EvlaModel(config)
    state = torch.randn(1, 16)
    moved = state.clone()
    moved[0, [*range(7, 14), 15]] += 1.0
    before, after = model.encode_proprio(state), model.encode_proprio(moved)
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.equal(before[:, 1], after[:, 1])
    assert not torch.equal(model.encode_proprio(torch.zeros(1, 16))[:, 0],
                           model.encode_proprio(torch.zeros(1, 16))[:, 1])  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arm_columns": [[0, 1], [1, 2]], "proprio_dim": 4}, "must name each of the 4"),
        ({"arm_columns": [[0], [1, 2]], "proprio_dim": 3}, "2 arms with as many numbers each"),
        ({"arm_columns": [[0], [1]], "proprio_dim": 2, "dim": 7}, "and 7 of action"),
    ],
)
def test_arms_that_cannot_share_are_named(tiny_preset, changes, message):
    with pytest.raises(ModelConfigError, match=message):
        load_preset(tiny_preset, **{"dim": 14, **changes})
