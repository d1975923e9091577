# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `record` list of an embodiment file: short and long form, names, and what is refused."""

from __future__ import annotations

import pytest

from evla_ros.embodiment import EmbodimentError, differences, load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import ANY_TYPE, Kind, Role, makes_column, streams_of

TABLETOP = load_embodiment("tabletop_arm")


def with_record(text):
    return parse_embodiment(f"{TABLETOP.text}\nrecord: {text}\n", source="robot.yaml")


def test_a_topic_alone_is_a_column_of_its_numbers_named_after_it():
    robot = with_record("[/FT_sensor/wrench, {topic: imu/data_raw, name: imu, max_age_s: 0.1}]")
    first, second = streams_of(robot).of_kind(Kind.EXTRA)
    assert (str(first.key), first.topic, first.type) == (
        "extra:ft_sensor_wrench", "/FT_sensor/wrench", ANY_TYPE,
    )  # fmt: skip
    assert (str(second.key), second.max_age_s, second.rate_hz) == ("extra:imu", 0.1, 10.0)
    assert first.role is Role.RECORD
    assert not first.required
    assert makes_column(first)
    kept = streams_of(with_record("[{topic: /points, column: none}]")).get(Kind.EXTRA, "points")
    assert not makes_column(kept)
    assert (kept.rate_hz, kept.max_age_s) == (0.0, None)


def test_a_checkpoint_fits_whatever_is_recorded_beside():
    robot = with_record("[/wrench]")
    assert robot.content_hash == TABLETOP.content_hash
    assert differences(robot, TABLETOP) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[/wrench now]", "record[0].topic: '/wrench now' is not a ROS topic name"),
        ("[{topic: /a, colum: none}]", "record[0].colum: unknown key; did you mean 'column'?"),
        ("[{topic: /a, column: dept}]", "record[0].column: 'dept' is not accepted"),
        ("[{name: a}]", "record[0].topic: missing"),
        ("[/a, a]", "record[1].topic 'a' is that of record[0] too"),
        ("[/a/b, /a_b]", "record[1].name 'a_b' is that of record[0] too; name one of them"),
        ("[/x, joint_states]", "record[1]: 'joint_states' is recorded already, as joints"),
        ("[/arm/target_pose]", "record[0]: '/arm/target_pose' is recorded already, as goal:arm"),
        ("[{topic: /a, column: none, max_age_s: 1.0}]", "record[0]: 'max_age_s' has no effect"),
        ("[{topic: /a, column: none, name: b}]", "record[0]: 'name' has no effect"),
        ("/wrench", "record: "),
        ("[7]", "record[0]: "),
    ],
)
def test_what_is_wrong_is_named_by_its_path(text, problem):
    with pytest.raises(EmbodimentError) as caught:
        with_record(text)
    assert any(problem in sentence for sentence in caught.value.problems), caught.value.problems


def test_an_input_may_be_a_column_too_under_a_name_of_its_own():
    robot = with_record("[{topic: joint_states, name: efforts}]")
    kinds = {stream.key.kind for stream in streams_of(robot).by_topic()["joint_states"]}
    assert kinds == {Kind.JOINTS, Kind.EXTRA}
