# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RLDS folders to spoil: their JSON files, shards, and records with right checksums."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from mutations import Random, spoil_bytes, spoil_json, spoil_yaml
from subject import Call, Subject, evla, replace_file
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.rlds.tfrecord import frame, scan_records
from evla_ros.embodiment import load_embodiment

HEAD_BYTES = 700  # the numbers and names before the pictures of a record


def dataset(folder: Path) -> Path:
    """Write a dataset of six short episodes in two splits."""
    arm = load_embodiment("tabletop_arm")
    return write_synthetic(folder, [synthetic_episode(i, arm, steps=6) for i in range(6)], arm).path


def spoil_dataset(folder: Path, random: Random) -> None:
    """Spoil one file."""
    files = sorted(folder.iterdir())
    shards = [path for path in files if ".tfrecord" in path.name]
    jsons = [path for path in files if path.suffix == ".json"]
    kind = random.random()
    if kind < 0.4:
        path = jsons[random.integers(len(jsons))]
        path.write_bytes(spoil_json(path.read_bytes(), random))
    elif kind < 0.5:
        path = folder / "embodiment.yaml"
        path.write_bytes(spoil_yaml(path.read_bytes(), random))
    elif kind < 0.55:
        replace_file(files[random.integers(len(files))], random)
    elif kind < 0.7:
        path = shards[random.integers(len(shards))]
        path.write_bytes(spoil_bytes(path.read_bytes(), random))
    else:
        _spoil_record(shards[random.integers(len(shards))], random)


def _spoil_record(shard: Path, random: Random) -> None:
    """Spoil a record and give it the checksums of what it then holds, as a bad writer would."""
    data = memoryview(shard.read_bytes())
    records = [bytes(data[start:stop]) for start, stop in scan_records(data, shard.name)]
    chosen = int(random.integers(len(records)))
    record = records[chosen]
    at = 0 if random.random() < 0.5 else int(random.integers(len(record)))
    spoiled = spoil_bytes(record[at : at + HEAD_BYTES], random)
    records[chosen] = record[:at] + spoiled + record[at + HEAD_BYTES :]
    out = io.BytesIO()
    for record in records:
        out.writelines(frame([record]))
    shard.write_bytes(out.getvalue())


def dataset_calls(folder: Path, out: Path) -> Sequence[Call]:
    """Return what opens a dataset."""
    return (
        evla("inspect", folder, "--episodes", "--sheet", out / "sheet.png"),
        evla("inspect", folder, "--json"),
        evla("dataset", "doctor", folder, "--json"),
        evla("dataset", "stats", folder),
        evla("dataset", "split", folder, "--out", out / "a", "--val", 0.3, "--failures"),
        evla("dataset", "edit", folder, "--out", out / "b", "--instruction", "wave"),
        evla("dataset", "merge", folder, "--out", out / "c", "--name", "merged"),
    )


DATASETS = (Subject("dataset", dataset, spoil_dataset, dataset_calls),)
