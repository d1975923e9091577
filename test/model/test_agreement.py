# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench model --checkpoint`: int8 against fp32 on frames of a dataset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import statistics_entry, tiny_config, tiny_model
from tokenizers import Tokenizer

from evla_ros.bench.model_agreement import observations
from evla_ros.cli.main import main
from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import features_for_embodiment
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import action_layout, load_embodiment
from evla_ros.model.checkpoint import save_checkpoint
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.predictor import Predictor
from evla_ros.training.samples.source import Source

STEPS = 6


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight episodes of noise, each step with its own picture."""
    robot = load_embodiment("tabletop_arm")
    with DatasetWriter(
        tmp_path_factory.mktemp("rlds"), "noise", features_for_embodiment(robot, 48),
        embodiment_text=robot.text, action_layout=action_layout(robot),
    ) as writer:  # fmt: skip
        for number in range(8):
            writer.add(episode(number))
    return writer.report.path


def episode(number: int) -> Episode:
    random = np.random.default_rng(number)
    frames = [encode_jpeg(random.integers(0, 256, (48, 48, 3), np.uint8)) for _ in range(STEPS)]
    return Episode(
        images={"image_primary": frames, "image_wrist": frames},
        observations={"state": random.normal(0, 0.1, (STEPS, 8)).astype(np.float32)},
        action=random.normal(0, 0.01, (STEPS, 7)).astype(np.float32),
        instructions=["lift the red block"] * STEPS,
        columns=dict(rlds_flags(STEPS, terminal=True)),
        metadata={"episode_id": f"noise-{number}", "success": True},
    )


@pytest.fixture
def checkpoint(tmp_path: Path, tokenizer: Tokenizer) -> Path:
    config = tiny_config(proprio=8)
    image = config.image.model_copy(update={"cameras": ("primary",)})
    config = config.model_copy(update={"image": image})
    entry = {"action": statistics_entry(7), "proprio": statistics_entry(8)}
    statistics = DatasetStatistics({"noise": entry})
    return save_checkpoint(tmp_path / "tiny", tiny_model(config), tokenizer, statistics)


def test_rows_of_both_heads(
    checkpoint: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--checkpoint", str(checkpoint), "--dataset", str(dataset), "--frames", "5", "--json"]
    assert main(["bench", "model", *words, "--split", "train", "--threads", "1"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["name"] for row in rows] == ["model.int8_token_agreement"] * 2
    assert [row["context"]["head"] for row in rows] == ["tokens", "l1"]
    for row in rows:
        assert row["context"]["numbers"] == 5 * 14
        assert 0 <= row["context"]["equal"] <= row["value"] <= 100
    assert rows[1]["value"] > 50  # a continuous output moves little, even untrained


def test_the_frames_are_those_the_predictor_would_see(checkpoint: Path, dataset: Path) -> None:
    predictor = Predictor(checkpoint, dtype="fp32")
    source = Source(dataset, "train")
    batches = list(observations(predictor, source, 3))
    last = source.episode(source.episode_count - 1)
    index, step = source.locate(len(source) - 1)
    frame = last.episode.image(last.cameras["primary"], step)
    assert index == source.episode_count - 1
    assert len(batches) == 3
    assert last.proprio is not None
    expected = predictor.predict({"primary": frame}, last.proprio[step], "lift the red block")
    with torch.inference_mode():
        raw = predictor.model.forward_joint(batches[-1]).logits
    assert raw is not None
    values = predictor.model.action_tokenizer.values(raw.argmax(-1))[0].unflatten(0, (2, 7))
    np.testing.assert_array_equal(predictor.action_normalizer.unnormalize(values.numpy()), expected)


def test_half_a_comparison_is_refused(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "model", "--checkpoint", str(checkpoint)]) == 2
    assert "needs both --checkpoint and --dataset" in capsys.readouterr().err
