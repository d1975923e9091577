# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An observation gets the same answer in a batch as alone, whatever it shares the batch with."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.model.predictor import Predictor
from evla_ros.shared_files import checkpoint_folder

INSTRUCTIONS = (
    "lift the red block",
    "open the drawer",
    "push the green block to the left side of the table",
    "reach",
)
# Largest difference of an action, as a part of its range in the statistics.
TOLERANCE = {"fp32": 1e-5, "bf16": 0.05, "int8": 0.02}


def observations(predictor: Predictor, count: int):
    random = np.random.default_rng(0)
    for index in range(count):
        images = {
            name: random.integers(0, 255, (120, 160, 3), np.uint8)
            for name in predictor.config.image.cameras
        }
        proprio = random.normal(0, 0.3, predictor.config.proprio_dim).astype(np.float32)
        yield images, proprio, INSTRUCTIONS[index % len(INSTRUCTIONS)]


def alone_and_together(dtype: str, output: str, count: int = 12):
    predictor = Predictor(checkpoint_folder("tabletop_arm"), dtype=dtype, output=output)
    asked = list(observations(predictor, count))
    alone = [predictor.predict(*one) for one in asked]
    inputs = [predictor.prepare(*one) for one in asked]
    for size in (2, 3, 8):
        parts = [inputs[start : start + size] for start in range(0, count, size)]
        together = [rows for part in parts for rows in predictor.predict_batch(part)]
        yield predictor, np.stack(alone), np.stack(together)


def test_tokens_in_fp32_are_equal_to_the_last_bit():
    for _, alone, together in alone_and_together("fp32", "tokens"):
        np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "int8"])
def test_continuous_actions_agree_within_what_is_stated(dtype):
    for predictor, alone, together in alone_and_together(dtype, "l1"):
        scale = predictor.action_normalizer.scale
        assert np.max(np.abs(alone - together) / scale) <= TOLERANCE[dtype]


def test_warm_up_takes_a_batch():
    predictor = Predictor(checkpoint_folder("tabletop_arm"))
    assert predictor.warm_up(batch=3) > 0
