# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who controls the robot and who watches: one page at a time, handed over by asking. No clock.

A page keeps its control for a while after its connection ends, so that a reload loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from evla_ros.console.errors import RefusedError

GRACE_S = 5.0
SILENT_S = 5.0
ASK_S = 20.0


@dataclass
class Page:
    """One browser tab.

    key: its own, kept over a reload. name: of who uses it. may_control: False for a read-only
    token. beat_s: when it was last heard. connected: whether its socket is open.
    """

    key: str
    name: str
    may_control: bool
    beat_s: float
    connected: bool = True
    asked_s: float | None = None


class Control:
    """Pages come, go, ask and grant; every change is one sentence for the log."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.controller = ""

    def arrive(self, key: str, name: str, now_s: float, *, may_control: bool) -> Page:
        """Take a page that connects; the first that may control does."""
        page = Page(key, name, may_control, now_s)
        self.pages[key] = page
        self.look(now_s)
        if not may_control and self.controller == key:
            self.controller = ""
        if not self.controller and may_control:
            self.controller = key
        return page

    def leave(self, key: str, now_s: float) -> None:
        """Take that a page's connection ended."""
        page = self.pages.get(key)
        if page is not None:
            page.connected, page.beat_s, page.asked_s = False, now_s, None

    def beat(self, key: str, now_s: float) -> None:
        """Take that a page is alive."""
        if key in self.pages:
            self.pages[key].beat_s = now_s

    def controls(self, key: str) -> bool:
        """Return whether a page controls."""
        return bool(key) and self.controller == key

    def take(self, key: str, now_s: float) -> str:
        """Give control to a page when it is free, else ask who has it; returns what came of it.

        Raises:
            RefusedError: The page may only watch.
        """
        page = self.pages[key]
        if not page.may_control:
            raise RefusedError("this page was opened with a read-only token: it can watch and stop")
        self.look(now_s)
        if self.controller == key:
            return "you have control"
        if not self.controller:
            self.controller = key
            return "you have control"
        page.asked_s = now_s
        holder = self.pages[self.controller]
        if not holder.connected:
            return f"{holder.name} is away; control is yours unless they are back in a moment"
        return f"{holder.name} is asked to hand over"

    def grant(self, key: str, to: str, *, yes: bool) -> str:
        """Take the controller's answer to a page that asked.

        Raises:
            RefusedError: The page does not control, or nobody has asked.
        """
        if not self.controls(key):
            raise RefusedError("only the page that controls can hand over")
        asker = self.pages.get(to)
        if asker is None or asker.asked_s is None:
            raise RefusedError("nobody asks for control any more")
        asker.asked_s = None
        if not yes:
            return f"{self.pages[key].name} keeps control"
        self.controller = to
        return f"{asker.name} has control"

    def release(self, key: str) -> str:
        """Give control up.

        Raises:
            RefusedError: The page does not have it.
        """
        if not self.controls(key):
            raise RefusedError("this page does not control")
        self.controller = ""
        return "control is free"

    def asking(self) -> list[Page]:
        """Return the pages that ask for control, the first one first."""
        found = [page for page in self.pages.values() if page.asked_s is not None]
        return sorted(found, key=lambda page: page.asked_s or 0.0)

    def look(self, now_s: float) -> str:
        """Drop what has run out; returns whose control ended, '' for nobody's.

        Who has asked for it meanwhile has it then.
        """
        for key, page in list(self.pages.items()):
            if page.asked_s is not None and now_s - page.asked_s > ASK_S:
                page.asked_s = None
            if not page.connected and now_s - page.beat_s > GRACE_S:
                del self.pages[key]
        holder = self.pages.get(self.controller)
        if self.controller and (holder is None or now_s - holder.beat_s > SILENT_S):
            gone = "the page that had it" if holder is None else holder.name
            waiting = [page for page in self.asking() if page.connected]
            self.controller = waiting[0].key if waiting else ""
            if waiting:
                waiting[0].asked_s = None
            return gone
        return ""
