# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the server counts, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        """Start at zero."""
        disable_created_metrics()
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "evla_requests", "Questions by what became of them", ["outcome"], registry=registry
        )
        self.refused = Counter(
            "evla_refused", "Connections that were not let in", ["reason"], registry=registry
        )
        self.connections = Gauge("evla_connections", "Open connections", registry=registry)
        self.batch = Histogram(
            "evla_batch_size", "Questions computed together", buckets=_SIZES, registry=registry
        )
        self.infer = Histogram(
            "evla_inference_seconds", "Time of a batch", buckets=_SECONDS, registry=registry
        )
        self.queue = Histogram(
            "evla_queue_seconds", "Time until its turn", buckets=_SECONDS, registry=registry
        )
        for outcome in ("answered", "late", "refused", "failed"):
            self.requests.labels(outcome)

    def computed(self, size: int, seconds: float) -> None:
        """Count a batch."""
        self.batch.observe(size)
        self.infer.observe(seconds)

    def text(self) -> bytes:
        """Return everything, in Prometheus' text format."""
        return bytes(generate_latest(self._registry))
