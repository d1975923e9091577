# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compiled blocks give what eager ones give; a machine without a compiler says so."""

from __future__ import annotations

import copy

import pytest
import torch
from tiny_model import random_batch, tiny_config, tiny_model

from evla_ros.model.acceleration import compile_blocks
from evla_ros.model.decode import decode
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.fusion import fuse_projections


@pytest.mark.timeout(300)
@torch.inference_mode()
def test_compiled_blocks_equal_eager_ones() -> None:
    model = tiny_model(tiny_config(proprio=5))
    compiled = compile_blocks(fuse_projections(copy.deepcopy(model)))
    for seed in (1, 2):
        batch = random_batch(model.config, [9], seed=seed)
        expected = decode(model, batch, "joint", "l1")
        torch.testing.assert_close(
            decode(compiled, batch, "joint", "l1"), expected, atol=1e-5, rtol=0
        )


def test_no_compiler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(ModelConfigError, match="needs a C\\+\\+ compiler"):
        compile_blocks(tiny_model(tiny_config()))
