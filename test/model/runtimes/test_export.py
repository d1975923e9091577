# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An exported checkpoint answers as torch does, is a checkpoint, and refuses what it cannot do."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import random_batch, tiny_config, tiny_model

from evla_ros import machine as machines
from evla_ros.cli.main import main
from evla_ros.errors import EvlaError
from evla_ros.model.checkpoint import load_checkpoint, read_parts, save_checkpoint
from evla_ros.model.errors import CheckpointError, ExportError, RuntimeChoiceError
from evla_ros.model.predictor import Predictor
from evla_ros.model.runtimes import export as exporting
from evla_ros.model.runtimes import opening
from evla_ros.model.runtimes.agreement import Agreement, agreement
from evla_ros.model.runtimes.examples import examples
from evla_ros.model.runtimes.export import export
from evla_ros.model.runtimes.export_part import EXACT, EXPORTED, Stage, answers_of
from evla_ros.model.runtimes.frames import frames_of, noise_frames
from evla_ros.model.runtimes.graphs import DECODER
from evla_ros.model.runtimes.in_memory import openvino_network
from evla_ros.model.runtimes.libraries import load
from evla_ros.model.runtimes.quantisation import (
    FIRST_HALF,
    HEADS,
    PROJECTOR,
    kept_operations,
    quantise_onnx,
    quantise_openvino,
)
from evla_ros.model.safe_files import sha256

CONFIG = tiny_config(cameras=2, proprio=8, output="l1", normalization="q99")
RUNTIMES = ("openvino", "onnx")
MODULES = {"openvino": ("openvino",), "onnx": ("onnxruntime", "onnx")}


def needs(runtime: str) -> None:
    for module in MODULES[runtime]:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: pip install 'evla_ros[{runtime}]'")


def quiet(_: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def source(tmp_path_factory, tokenizer) -> Path:
    from tiny_model import statistics_entry

    from evla_ros.model.normalization import DatasetStatistics

    one = DatasetStatistics(
        {"one": {"action": statistics_entry(7), "proprio": statistics_entry(8)}}
    )
    folder = tmp_path_factory.mktemp("run") / "best"
    return save_checkpoint(folder, tiny_model(CONFIG), tokenizer, one, "name: robot\n")


@pytest.fixture(scope="module", params=RUNTIMES)
def exported(request, source, tmp_path_factory) -> tuple[str, Path]:
    needs(request.param)
    target = tmp_path_factory.mktemp(request.param) / "exported"
    parts = read_parts(source)
    export(parts, target, request.param, "fp32", noise_frames(parts), quiet)
    return request.param, target


def frames(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {n: random.integers(0, 255, (30, 40, 3), np.uint8) for n in CONFIG.image.cameras}


def test_it_answers_as_torch_for_any_prompt_and_batch(source, exported):
    ours, theirs = Predictor(source), Predictor(exported[1])
    assert theirs.network.name == f"{exported[0]} fp32 cpu"
    asked = [
        (frames(i), np.full(8, i / 9, np.float32), text)
        for i, text in enumerate(("lift", "lift the red block", "take the red block to the robot"))
    ]
    for one in asked:
        np.testing.assert_allclose(theirs.predict(*one), ours.predict(*one), atol=1e-4)
    together = theirs.predict_batch([theirs.prepare(*one) for one in asked])
    for rows, one in zip(together, asked, strict=True):
        np.testing.assert_allclose(rows, ours.predict(*one), atol=1e-4)
    theirs.check_answer()
    assert theirs.warm_up(batch=2) > 0


def test_both_heads_are_exported(source, exported):
    one = (frames(3), np.zeros(8, np.float32), "lift the red block")
    ours, theirs = (Predictor(folder, output="tokens") for folder in (source, exported[1]))
    np.testing.assert_array_equal(theirs.predict(*one), ours.predict(*one))


def test_it_is_a_checkpoint_folder(source, exported):
    _, folder = exported
    before, after = read_parts(source), read_parts(folder)
    assert after.config == before.config
    assert after.statistics.datasets == before.statistics.datasets
    assert after.embodiment_text == before.embodiment_text
    manifest = json.loads((folder / "runtime.json").read_text())
    assert manifest["largest_difference"] <= 1e-4
    assert manifest["within_one_bin"] == 100.0
    recorded = json.loads((folder / "checksums.json").read_text())
    assert sorted(recorded) == sorted(
        f.name for f in folder.iterdir() if f.name != "checksums.json"
    )


def test_a_changed_graph_is_refused(exported, tmp_path):
    import shutil

    _, folder = exported
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = next(f for f in copy.iterdir() if f.suffix in (".bin", ".onnx"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckpointError, match="differs from its recorded hash"):
        Predictor(copy)
    manifest = copy / "runtime.json"
    manifest.write_text(manifest.read_text().replace('"decoder":', '"decodre":'))
    with pytest.raises(CheckpointError, match="differs from its recorded hash"):
        Predictor(copy)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"runtime": "torch"}, "cannot run in torch"),
        ({"dtype": "int8"}, "dtype 'int8' has no effect"),
        ({"decode": "autoregressive"}, "decodes jointly"),
        ({"static_shapes": True}, "static shapes have no effect"),
        ({"runtime": "openvin"}, "unknown runtime 'openvin'"),
    ],
)
def test_what_it_cannot_do_is_refused(exported, asked, sentence):
    with pytest.raises(EvlaError, match=sentence):
        Predictor(exported[1], **asked)


def test_weights_are_asked_for_in_one_sentence(exported, tmp_path):
    with pytest.raises(CheckpointError, match="was exported: it holds graphs, and no weights"):
        load_checkpoint(exported[1])
    with pytest.raises(ExportError, match="is exported already"):
        parts = read_parts(exported[1])
        export(parts, tmp_path / "again", "openvino", "fp32", noise_frames(parts), quiet)


def test_a_stage_in_a_process_of_its_own_writes_the_same(source, tmp_path, monkeypatch):
    """A part of a large network; its process gives its memory back when it ends."""
    needs("onnx")
    monkeypatch.setattr(exporting, "MOST_BYTES", 0)
    parts, said = read_parts(source), []
    noise_frames(parts).save(tmp_path / "frames.safetensors")
    here = str(tmp_path)
    stage = Stage(str(source), here, here, "", "tower1", "onnx", "fp32")
    exporting._run(parts, stage, said.append)
    assert said[-1].endswith("GiB of memory")
    apart = [answers_of(tmp_path, "tower1", which)[0] for which in (EXACT, EXPORTED)]
    np.testing.assert_allclose(apart[1], apart[0], atol=1e-4)
    with pytest.raises(ExportError, match="tower1 cannot be exported: checkpoint folder"):
        exporting._run(parts, replace(stage, checkpoint=f"{source}s"), said.append)


def test_int8_keeps_what_it_has_to_keep(source, tmp_path, monkeypatch):
    """Answers that are never near enough: more and more stays in fp32, then nothing is written."""
    needs("onnx")
    parts, said = read_parts(source), []
    batches = [parts.processor(frames(i), "lift", np.zeros(8)) for i in range(3)]
    judged = frames_of(batches[:1], batches[1:])
    monkeypatch.setattr(Agreement, "near_enough", lambda *_: False)
    with pytest.raises(ExportError, match="invented pictures; add --calibrate"):
        export(parts, tmp_path / "out", "onnx", "fp32", noise_frames(parts), quiet)
    with pytest.raises(ExportError, match="answers too differently.*: use another dtype"):
        export(parts, tmp_path / "out", "onnx", "int8", judged, said.append)
    assert [line.partition(" against")[0] for line in said] == [
        "onnx int8",
        "onnx int8, heads in fp32",
        "onnx int8, heads and projector in fp32",
        "onnx int8, heads and projector and towers in fp32",
        "onnx int8, heads and projector and towers and first half of the decoder in fp32",
        "onnx int8, heads and projector and decoder in fp32",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [(HEADS,), (HEADS, PROJECTOR), (HEADS, PROJECTOR, FIRST_HALF)])
def test_what_int8_is_said_to_keep_is_kept(kept, exported, tmp_path):
    """The two libraries name a network's operations differently."""
    runtime, folder = exported
    layers = CONFIG.language_model.layers
    parts = {HEADS: "l1_head", PROJECTOR: "projector", FIRST_HALF: "layers.0", "rest": "layers.1"}
    if runtime == "onnx":
        onnx = load("onnx", "onnx", "a test")
        graph = tmp_path / "int8.onnx"
        quantise_onnx(folder / "onnx_decoder.onnx", graph, kept_operations(kept, layers))
        integer = {n.name for n in onnx.load(graph).graph.node if n.op_type == "MatMulInteger"}
    else:
        if importlib.util.find_spec("nncf") is None:
            pytest.skip("nncf is not installed: pip install 'evla_ros[int8]'")
        openvino = load("openvino", "openvino", "a test")
        model = openvino.Core().read_model(folder / "openvino_decoder.xml")
        inputs = examples(CONFIG)[DECODER]
        ask = [[array.numpy() for array in inputs.values()]]
        model = quantise_openvino(model, list(inputs), ask, kept_operations(kept, layers))
        multiplied = [op for op in model.get_ops() if op.get_type_name() == "MatMul"]
        integer = {
            op.get_friendly_name()
            for op in multiplied
            if "fq_weights" in op.input_value(1).get_node().get_friendly_name()
        }
    for part, word in parts.items():
        assert any(word in name for name in integer) == (part not in kept), part


def test_openvino_int8_is_near_torch(source, tmp_path):
    needs("openvino")
    if importlib.util.find_spec("nncf") is None:
        pytest.skip("nncf is not installed: pip install 'evla_ros[int8]'")
    parts = read_parts(source)
    batches = [parts.processor(frames(i), "lift the block", np.zeros(8)) for i in range(4)]
    said: list[str] = []
    judged = frames_of(batches[:2], batches[2:])
    export(parts, tmp_path / "out", "openvino", "int8", judged, said.append, check=False)
    one = (frames(0), np.zeros(8, np.float32), "lift the block")
    theirs, ours = Predictor(tmp_path / "out"), Predictor(source)
    assert theirs.network.name == "openvino int8 cpu"
    away = np.abs(theirs.predict(*one) - ours.predict(*one)) / ours.action_normalizer.scale
    assert 0 < away.max() < 0.3


def test_int8_that_would_lose_sums_is_refused(exported, tmp_path, monkeypatch):
    """Exported on a processor with VNNI, opened on one whose integer sums saturate."""
    folder = tmp_path / "int8"
    shutil.copytree(exported[1], folder)
    manifest = json.loads((folder / "runtime.json").read_text())
    (folder / "runtime.json").write_text(json.dumps({**manifest, "wide_sums": True}))
    checksums = json.loads((folder / "checksums.json").read_text())
    checksums["runtime.json"] = sha256(folder / "runtime.json")
    (folder / "checksums.json").write_text(json.dumps(checksums))
    monkeypatch.setattr(opening, "integer_sums_saturate", lambda: False)
    Predictor(folder)
    monkeypatch.setattr(opening, "integer_sums_saturate", lambda: True)
    with pytest.raises(RuntimeChoiceError, match="this one has none.*export it again on this"):
        Predictor(folder)


@pytest.mark.parametrize(
    ("machine", "flags", "saturate"),
    [
        ("x86_64", "fma avx avx2", True),
        ("x86_64", "avx2 avx512f avx512_vnni", False),
        ("x86_64", "avx2 avx_vnni", False),
        ("aarch64", "asimd", False),
    ],
)
def test_which_processors_lose_sums(monkeypatch, machine, flags, saturate):
    monkeypatch.setattr(machines.platform, "machine", lambda: machine)
    monkeypatch.setattr(machines, "_cpu_field", lambda name: flags)
    assert machines.integer_sums_saturate() is saturate


def test_agreement_counts_bins_of_the_head_that_answers():
    exact = [np.zeros((2, 1, 14, 256), np.float32), np.zeros((2, 1, 2, 7), np.float32)]
    exact[0][..., 9] = 4.0
    other = [part.copy() for part in exact]
    other[0][0, 0, 0, 11] = 5.0
    other[1][0, 0, 0, 0] = 0.03  # four bins away
    found = agreement(CONFIG, exact, other)
    assert found.within_one_bin == pytest.approx({"tokens": 100 * 27 / 28, "l1": 100 * 27 / 28})
    assert found.largest_difference == pytest.approx(1.25)
    assert not found.near_enough("fp32")
    assert not found.near_enough("int8")
    assert agreement(CONFIG, exact, exact).near_enough("fp32")
    other[1][0, 0, 0, 0] = np.nan
    assert agreement(CONFIG, exact, other).largest_difference == float("inf")


@pytest.mark.parametrize("family", ["gemma", "phi"])
@torch.inference_mode()
def test_families_masks_and_padding_in_memory(family):
    needs("openvino")
    mask = {"gemma": "isolated", "phi": "prefix_lm"}[family]
    ends = [5, 9] if family == "phi" else []  # text behind the slots
    config = tiny_config(family, 2, 8, mask=mask, heads=["tokens"], end_ids=ends)
    model = tiny_model(config)
    network = openvino_network(model, "tokens", "fp32", 1)
    for lengths, padded in (([6], 0), ([6], 9), ([5, 9, 7], 0)):
        batch = random_batch(config, lengths, padded)
        logits = model.forward_joint(batch).logits
        assert logits is not None
        np.testing.assert_allclose(network.heads(batch)["tokens"], logits.numpy(), atol=1e-4)


def test_stepwise_decoding_and_bf16_in_onnx_are_refused(tokenizer, tmp_path):
    from evla_ros.model.normalization import DatasetStatistics

    config = tiny_config(decode="autoregressive")
    statistics = DatasetStatistics({"one": {}})
    save_checkpoint(tmp_path / "ar", tiny_model(config), tokenizer, statistics)
    parts = read_parts(tmp_path / "ar")
    with pytest.raises(ExportError, match="one token after the other"):
        export(parts, tmp_path / "out", "openvino", "fp32", noise_frames(parts), quiet)
    config = tiny_config(readout="previous")
    save_checkpoint(tmp_path / "oft", tiny_model(config), tokenizer, statistics)
    parts = read_parts(tmp_path / "oft")
    with pytest.raises(ExportError, match="readout: previous"):
        export(parts, tmp_path / "out", "openvino", "fp32", noise_frames(parts), quiet)
    parts = read_parts(save_checkpoint(tmp_path / "j", tiny_model(CONFIG), tokenizer, statistics))
    with pytest.raises(ExportError, match="multiplies no bf16"):
        export(parts, tmp_path / "out", "onnx", "bf16", noise_frames(parts), quiet)
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportError, match="exists; choose another folder"):
        export(parts, tmp_path / "out", "onnx", "fp32", noise_frames(parts), quiet)


def test_a_missing_library_is_named_with_its_extra(source, tmp_path, monkeypatch, capsys):
    for module in ("openvino", "onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, module, None)
    for runtime in RUNTIMES:
        assert main(["export", runtime, str(source), str(tmp_path / "x")]) == 2
        assert f"pip install 'evla_ros[{runtime}]'" in capsys.readouterr().err
    with pytest.raises(RuntimeChoiceError, match="needs openvino, which is not installed"):
        Predictor(source, runtime="openvino")
    assert Predictor(source, runtime="auto").network.name.startswith("torch")


def test_the_command_line(source, tmp_path, capsys):
    needs("onnx")
    out = str(tmp_path / "out")
    assert main(["export", "onnx", str(source), out, "--dtype", "int8"]) == 2
    assert "add --calibrate DATASET" in capsys.readouterr().err
    assert main(["export", "onnx", str(source), out, "--dtype", "bf16"]) == 2
    assert "fp32, int8" in capsys.readouterr().err
    assert main(["export", "onnx", str(tmp_path / "none"), out]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(["export", "onnx", str(source), out]) == 0
    said = capsys.readouterr().out
    assert "action tokens within one bin 100.00 %" in said
    assert f"wrote {out}" in said
    assert main(["export", str(source), str(tmp_path / "copy"), "--dtype", "bf16"]) == 0


def test_nothing_is_reported_to_the_makers_of_the_libraries():
    needs("openvino")
    load("openvino", "openvino", "a test")
    with pytest.raises(ImportError):
        import openvino_telemetry  # noqa: F401
    import openvino.tools.ovc.convert_impl as converter

    assert converter.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
