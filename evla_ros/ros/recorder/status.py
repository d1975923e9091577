# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder tells an operator: RecorderStatus."""

from __future__ import annotations

from evla_ros.data.recording.open_episode import OUTCOMES
from evla_ros.data.recording.recorder import Recorder
from evla_ros.msg import RecorderStatus
from evla_ros.ros.pose_conversion import time_message


def status_message(recorder: Recorder, now_ns: int, text: str, *, active: bool) -> RecorderStatus:
    """Return the status now; `text` is the sentence the operator reads."""
    message = RecorderStatus(text=text)
    message.header.stamp = time_message(now_ns)
    episode = recorder.episode
    ready = RecorderStatus.STATE_READY if active else RecorderStatus.STATE_INACTIVE
    message.state = ready if episode is None else RecorderStatus.STATE_RECORDING
    message.instruction = recorder.instruction
    if episode is not None:
        message.episode_id = episode.episode_id
        message.duration_s = (now_ns - episode.start_ns) / 1e9
        message.outcome = OUTCOMES[episode.outcome]
        message.intervention = episode.intervention
        message.messages = episode.messages
        message.bytes = episode.bytes_written
        message.queued = episode.queued
        message.lost = episode.lost
    message.disk_free_bytes = recorder.store.free_bytes()
    message.minutes_left = float(recorder.minutes_left(now_ns))
    message.episodes_kept = recorder.kept
    message.episodes_discarded = recorder.discarded
    health = [topic.health(now_ns) for topic in recorder.topics]
    message.topic_names = [h.name for h in health]
    message.topic_states = [int(h.state) for h in health]
    message.topic_rate_hz = [float(h.rate_hz) for h in health]
    message.topic_messages = [topic.meter.count for topic in recorder.topics]
    message.topic_age_s = [float(topic.meter.age_s(now_ns)) for topic in recorder.topics]
    return message
