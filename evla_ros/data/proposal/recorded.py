# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics that were seen and are no input, as commented lines of `record`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from evla_ros.data.codecs.depth import ENCODINGS
from evla_ros.data.proposal.arms import Setting
from evla_ros.data.proposal.words import has
from evla_ros.data.survey.contents import Pictures
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.embodiment.streams import BOOL, COMPRESSED_IMAGE, IMAGE, STRING, TF_MESSAGE

_MOST = 20
_OF_ROS = ("/rosout", "/parameter_events", "/clock", "/diagnostics")
_NO_COLUMN = (
    STRING, BOOL, "sensor_msgs/msg/PointCloud2", "sensor_msgs/msg/LaserScan",
    "sensor_msgs/msg/CameraInfo", "nav_msgs/msg/OccupancyGrid", "nav_msgs/msg/Path",
    "visualization_msgs/msg/Marker", "visualization_msgs/msg/MarkerArray",
)  # fmt: skip


def record_lines(setting: Setting, used: Collection[str]) -> Iterator[str]:
    """Yield the lines; nothing where every topic is an input or a command.

    Args:
        setting: What was seen.
        used: Topics of the file's streams, without the first slash.
    """
    topics = setting.survey.topics
    seen = [topics[name] for name in sorted(topics) if _is_data(topics[name])]
    left = [t for t in seen if setting.topic(t.name).lstrip("/") not in used]
    if not left:
        return
    yield ""
    yield "# Seen, and no input. Uncomment what bags shall keep (docs/dataset.md); no episode"
    yield "# starts without a topic that becomes a column; `column: none` keeps it in the bag only."
    yield "# record:"
    yield from (f"#   - {_entry(setting, topic)}" for topic in left[:_MOST])
    if len(left) > _MOST:
        yield f"#   and {len(left) - _MOST} more, first {left[_MOST].name}"


def _is_data(topic: SeenTopic) -> bool:
    own = topic.name in _OF_ROS or "/_action/" in topic.name or topic.type == TF_MESSAGE
    ours = topic.type.startswith(("evla_ros/", "lifecycle_msgs/", "rcl_interfaces/"))
    return bool(topic.publishers or topic.count) and not own and not ours


def _entry(setting: Setting, topic: SeenTopic) -> str:
    name, package = setting.topic(topic.name), topic.type.replace("/msg/", "/")
    rate = f", {topic.rate_hz:.0f} Hz" if topic.rate_hz else ""
    column = _column(topic)
    written = name if column == "numbers" else f"{{topic: {name}, column: {column}}}"
    return f"{written}    # {package}{rate}"


def _column(topic: SeenTopic) -> str:
    if topic.type in (IMAGE, COMPRESSED_IMAGE):
        encoding = topic.contents.encoding if isinstance(topic.contents, Pictures) else ""
        deep = encoding.startswith(ENCODINGS) or has(topic.name, frozenset({"depth"}))
        return "depth" if deep else "none"
    return "none" if topic.type in _NO_COLUMN else "numbers"
