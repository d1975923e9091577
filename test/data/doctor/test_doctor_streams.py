# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every check of pictures, clocks, labels and files finds the fault planted for it."""

from __future__ import annotations

import dataclasses

import numpy as np
from planted import ARM, EPISODES, STEPS, diagnose, edit, only, with_action
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.doctor.examine import examine
from evla_ros.data.doctor.summary import summarize
from evla_ros.data.episode import Episode
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.reader import RldsDataset


def test_a_frozen_camera_names_its_topic(healthy, context):
    frames = list(healthy[0].images["image_wrist"])
    frames[8:30] = [frames[8]] * 22
    episode = edit(healthy[0], images={**healthy[0].images, "image_wrist": frames})
    found = diagnose([episode, *healthy[1:]], context)
    finding = only(found, "camera", "error", "stands still")
    assert ARM.cameras["wrist"].topic in finding.where
    assert "21 steps" in finding.message


def test_black_frames(healthy, context):
    black = encode_jpeg(np.full((24, 32, 3), 2, np.uint8))
    frames = [black, *healthy[0].images["image_primary"][1:]]
    episode = edit(healthy[0], images={**healthy[0].images, "image_primary": frames})
    only(diagnose([episode, *healthy[1:]], context), "camera", "error", "black")


def test_swapped_and_doubled_cameras(healthy, context):
    episodes = [
        edit(episode, images=dict(zip(episode.images, pictures, strict=True)))
        for episode, pictures in ((e, list(e.images.values())) for e in fixed_views())
    ]
    swapped = edit(
        episodes[3],
        images={
            "image_primary": episodes[3].images["image_wrist"],
            "image_wrist": episodes[3].images["image_primary"],
        },
    )
    found = diagnose([*episodes[:3], swapped, *episodes[4:]], context)
    assert only(found, "camera", "error", "look swapped").episodes == ("session/episode_003",)
    assert not [f for f in diagnose(episodes, context) if f.check == "camera"]
    same = dict.fromkeys(healthy[0].images, healthy[0].images["image_wrist"])
    doubled = edit(healthy[0], images=same)
    only(diagnose([doubled, *healthy[1:]], context), "camera", "error", "the same pictures")


def fixed_views() -> list[Episode]:
    """Episodes whose two cameras look at different, unchanging scenes with a moving square."""
    rng = np.random.default_rng(5)
    scenes = {
        key: rng.integers(0, 255, (6, 8, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
        for key in ("image_primary", "image_wrist")
    }
    episodes = []
    for index in range(6):
        episode = synthetic_episode(index, ARM, steps=STEPS)
        images = {}
        for key, scene in scenes.items():
            frames = []
            for step in range(STEPS):
                frame = scene.copy()
                left = (3 * step + index) % 24
                frame[8:16, left : left + 6] = 255
                frames.append(encode_jpeg(frame))
            images[key] = frames
        episodes.append(edit(episode, images=images))
    return episodes


def test_clocks(healthy, context):
    def with_column(episode, name, change):
        return edit(episode, columns={**episode.columns, name: change(episode.columns[name])})

    back = [with_column(e, "stamp_ns", lambda s: s[::-1].copy()) for e in healthy]
    only(diagnose(back, context), "clock", "error", "time runs backwards")
    gap = [with_column(e, "stamp_ns", lambda s: s + 10**9 * (s > s[9])) for e in healthy]
    only(diagnose(gap, context), "clock", "warning", "uneven ticks or gaps in 8 of 8")
    old = [with_column(e, "age_s", lambda a: a + np.float32([0, 0.6, 0])) for e in healthy]
    where = only(diagnose(old, context), "clock", "warning", "s old").where
    assert where == f"age_s of camera:wrist ({ARM.cameras['wrist'].topic})"
    future = [with_column(e, "age_s", lambda a: a - np.float32([0, 0, 0.3])) for e in healthy]
    only(diagnose(future, context), "clock", "error", "s in the future")


def test_a_late_camera(context):
    episodes = bursts(delay=0)
    assert not [f for f in diagnose(episodes, context) if "pictures run" in f.message]
    finding = only(diagnose(bursts(delay=3), context), "clock", "warning", "pictures run 3 steps")
    assert ARM.cameras["primary"].topic in finding.where or "wrist" in finding.where


def bursts(delay: int) -> list[Episode]:
    """Episodes that move in bursts, filmed `delay` steps late."""
    episodes = []
    for index in range(EPISODES):
        rng = np.random.default_rng(index)
        base = synthetic_episode(index, ARM, steps=STEPS)
        speed = np.repeat(rng.choice([0.002, 0.02], STEPS // 4), 4)
        path = np.cumsum(speed)
        state, action = base.observations["state"].copy(), base.action.copy()
        state[:, :3], action[:, :3] = base.observations["state"][0, :3], 0
        state[:, 0] = path
        action[:-1, 0] = np.diff(path)
        seen = np.concatenate((np.repeat(path[:1], delay), path[: STEPS - delay]))
        images = {}
        for key in base.images:
            frames = []
            for place in seen:
                columns = np.arange(32) / 32 + 3 * place
                row = (127 + 120 * np.sin(2 * np.pi * columns)).astype(np.uint8)
                frames.append(encode_jpeg(np.repeat(row[None, :, None], 24, 0).repeat(3, 2)))
            images[key] = frames
        observations = {"state": state.astype(np.float32)}
        episodes.append(edit(base, images=images, action=action, observations=observations))
    return episodes


def test_near_duplicates(healthy, context):
    metadata = {**healthy[3].metadata, "episode_id": "copy"}
    noise = np.random.default_rng(0).normal(0, 1e-6, healthy[3].action.shape).astype(np.float32)
    copy = edit(healthy[3], metadata=metadata, action=healthy[3].action + noise)
    found = diagnose([*healthy, copy], context)
    finding = only(found, "duplicate", "warning", "1 pairs of nearly equal")
    assert finding.episodes == ("session/episode_003 = copy",)
    only(diagnose([copy, *healthy], context), "duplicate", "error", "different splits")


def test_language_flags_lengths_and_outcome(healthy, context):
    silent = [edit(e, instructions=["  "] * STEPS) for e in healthy]
    only(diagnose(silent, context), "language", "error", "waits forever")
    only(diagnose([silent[0], *healthy[1:]], context), "language", "warning", "1 of 8")
    columns = {**healthy[0].columns, "is_last": np.zeros(STEPS, bool)}
    cut = edit(healthy[0], columns=columns)
    only(diagnose([cut, *healthy[1:]], context), "structure", "warning", "first and last step")
    short = synthetic_episode(77, ARM, steps=3)
    finding = only(diagnose([*healthy, short], context), "structure", "warning", "fewer than")
    assert f"fewer than {ARM.action.chunk} steps in 1 of 9" in finding.message
    assert "OpenVLA-OFT" in finding.message
    failed = edit(healthy[1], metadata={**healthy[1].metadata, "success": False})
    only(diagnose([healthy[0], failed], context), "structure", "warning", "episodes failed")
    summaries = [summarize(e, "train", i) for i, e in enumerate(healthy)]
    from evla_ros.data.doctor.structure import check_structure

    found = check_structure(summaries, dataclasses.replace(context, statistics=None))
    only(found, "structure", "warning", "no `val` split")


def test_stale_statistics(healthy, context):
    doubled = with_action(healthy, lambda a, s: (a * 2, s))
    found = diagnose(doubled, context, statistics=True)
    only(found, "statistics", "error", "do not belong to these episodes")


def test_damaged_records_are_findings_and_the_rest_is_read(healthy, tmp_path):
    report = write_synthetic(tmp_path, healthy, ARM)
    shard = next(report.path.glob("*-train.*"))
    data = bytearray(shard.read_bytes())
    data[200] ^= 1
    shard.write_bytes(data)
    found = examine(RldsDataset.open(report.path))
    damaged = [f for f in found.findings if f.check == "record"]
    assert len(damaged) == 1
    assert "payload checksum" in damaged[0].message
    assert len(found.episodes) == EPISODES - 1
