# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An imported run of OpenVLA-OFT is fine-tuned: with its own arrangement, and with another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from oft_run import write_run
from small_training import plain_dataset, settings, tiny_preset  # noqa: F401 - fixtures
from tokenizers import Tokenizer

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.training.config_file import parse_config
from evla_ros.training.metrics import read_metrics
from evla_ros.training.train import train


@pytest.mark.parametrize(
    ("action", "lora", "kept"),
    [
        ({}, {}, ("full", "previous", "l1")),
        ({}, {"rank": 4}, ("full", "previous", "l1")),
        (
            {"heads": ["tokens"], "output": "tokens", "mask": "bidirectional", "readout": "own"},
            {},
            ("bidirectional", "own", "tokens"),
        ),
    ],
    ids=["as published", "adapters", "joint tokens"],
)
def test_an_imported_run_learns(
    tmp_path: Path,
    tokenizer: Tokenizer,
    settings: dict[str, Any],  # noqa: F811
    action: dict[str, Any],
    lora: dict[str, Any],
    kept: tuple[str, str, str],
) -> None:
    run = write_run(tmp_path / "oft", tokenizer)
    start = tmp_path / "start"
    assert main(["export", str(run), str(start), "--chunk", "4", "--cameras", "primary"]) == 0
    settings["model"] = {"start": str(start), "action": action, "cameras": ["primary"]}
    settings["lora"] = lora
    settings["optimizer"].update(steps=40, batch=8)
    settings.update(save_every=40, eval_every=40)
    folder = train(parse_config(settings, "test"))
    losses = [entry["loss"] for entry in read_metrics(folder) if "loss" in entry]
    assert sum(losses[-5:]) / 5 < 0.7 * losses[0]
    made = load_checkpoint(folder / "last").config
    assert (made.action.mask, made.action.readout, made.action.output) == kept
    assert made.action.end_ids == (2,)
