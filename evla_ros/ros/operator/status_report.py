# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the status messages of policy and recorder say, as one dictionary and as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TOPIC_STATES = ("missing", "ok", "slow", "stalled")
_OUTCOMES = ("unknown", "success", "failure")
_RECORDER_STATES = ("", "unconfigured", "inactive", "ready", "recording", "closing")


def policy_row(message: Any) -> dict[str, Any]:
    """Return a PolicyStatus as plain data; ages [s] are None where nothing was seen yet."""
    streams = zip(
        message.stream_names,
        message.stream_age_s,
        message.stream_max_age_s,
        message.stream_rate_hz,
        strict=True,
    )
    limits = zip(message.limit_names, message.limit_counts, strict=True)
    return {
        "moving": bool(message.moving),
        "started": bool(message.started),
        "reason": int(message.reason),
        "reason_text": str(message.reason_text),
        "instruction": str(message.instruction),
        "embodiment": str(message.embodiment),
        "policy": str(message.policy),
        "goal_rate_hz": round(float(message.goal_rate_hz), 1),
        "chunks": int(message.chunks),
        "chunk_age_s": _age(message.chunk_age_s),
        "inference_p50_ms": _age(message.inference_p50_ms),
        "inference_p95_ms": _age(message.inference_p95_ms),
        "streams": [
            {
                "name": name,
                "age_s": _age(age),
                "max_age_s": round(float(most), 3),
                "rate_hz": round(float(rate), 1),
                "stale": not 0.0 <= age <= most,
            }
            for name, age, most, rate in streams
        ],
        "limits": {name: int(count) for name, count in limits if count},
        "last_limit": str(message.last_limit),
        "last_stop": str(message.last_stop_text),
    }


def recorder_row(message: Any) -> dict[str, Any]:
    """Return a RecorderStatus as plain data."""
    topics = zip(
        message.topic_names,
        message.topic_states,
        message.topic_rate_hz,
        message.topic_age_s,
        strict=True,
    )
    return {
        "recorder_state": _RECORDER_STATES[message.state],
        "text": str(message.text),
        "instruction": str(message.instruction),
        "episode_id": str(message.episode_id),
        "duration_s": round(float(message.duration_s), 1),
        "outcome": _OUTCOMES[message.outcome],
        "intervention": bool(message.intervention),
        "messages": int(message.messages),
        "lost": int(message.lost),
        "minutes_left": _age(message.minutes_left),
        "episodes_kept": int(message.episodes_kept),
        "topics": [
            {
                "name": name,
                "state": _TOPIC_STATES[state],
                "rate_hz": round(float(rate), 1),
                "age_s": _age(age),
            }
            for name, state, rate, age in topics
        ],
    }


def lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the rows of all nodes as lines of text, the reason first."""
    found: list[str] = []
    for row in rows:
        found += [*([""] if found else []), *_node_lines(row)]
    return found


def _node_lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{row['node']}: {row['state']}"
    if "reason_text" in row:
        yield from _policy_lines(row)
    elif "recorder_state" in row:
        yield from _recorder_lines(row)
    if row.get("note"):
        yield f"  {row['note']}"


def _policy_lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {'MOVING' if row['moving'] else 'not moving'}: {row['reason_text']}"
    yield f"  instruction: {row['instruction'] or '(none)'}"
    yield f"  {row['embodiment']}, {row['policy']}; goals {row['goal_rate_hz']:.1f} Hz"
    if row["inference_p50_ms"] is not None:
        times = f"p50 {row['inference_p50_ms']:.0f} ms, p95 {row['inference_p95_ms']:.0f} ms"
        yield f"  {row['chunks']} chunks, inference {times}"
    yield from _table(
        ("stream", "age", "stops at", "rate"),
        [
            (
                f"{stream['name']}{' !' if stream['stale'] else ''}",
                _seconds(stream["age_s"]),
                _seconds(stream["max_age_s"]),
                f"{stream['rate_hz']:.1f} Hz",
            )
            for stream in row["streams"]
        ],
    )
    if row["limits"]:
        counts = ", ".join(f"{name} {count} ticks" for name, count in row["limits"].items())
        yield f"  limits that clipped: {counts} (last: {row['last_limit']})"
    if row["last_stop"]:
        yield f"  last stop: {row['last_stop']}"


def _recorder_lines(row: Mapping[str, Any]) -> Iterator[str]:
    episode = row["episode_id"]
    if episode:
        lost = f", {row['lost']} lost" if row["lost"] else ""
        yield f"  recording {episode}: {row['duration_s']:.0f} s, {row['messages']} messages{lost}"
    else:
        yield f"  {row['recorder_state']}, {row['episodes_kept']} episodes kept"
    if row["text"]:
        yield f"  {row['text']}"
    yield f"  instruction: {row['instruction'] or '(none)'}"
    if row["minutes_left"] is not None:
        yield f"  disk: {row['minutes_left']:.0f} minutes left at this rate"
    yield from _table(
        ("topic", "state", "age", "rate"),
        [
            (t["name"], t["state"], _seconds(t["age_s"]), f"{t['rate_hz']:.1f} Hz")
            for t in row["topics"]
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        first, *rest = (f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        yield f"  {'  '.join([first, *rest])}".rstrip()


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"


def _age(value: float) -> float | None:
    return None if value < 0.0 else round(float(value), 3)
