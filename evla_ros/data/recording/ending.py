# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The end of an episode: what is slow about it, apart from what must happen at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from evla_ros.data.recording.episode_report import EpisodeReport


class Ending(NamedTuple):
    """An episode that takes no more messages; calling this writes the rest, durably.

    On a slow disk that takes seconds: it may be called in another thread, one ending after the
    other, while the recorder goes on.
    """

    finish: Callable[[], EpisodeReport]
    episode_id: str

    def __call__(self) -> EpisodeReport:
        """Finish the bag; RecorderError when a discarded one cannot be moved to the trash."""
        return self.finish()
