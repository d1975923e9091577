# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell a URI from a path, also after `pathlib` has taken one of its slashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/{1,3}(?P<rest>.*)", re.DOTALL)
_SECRET = re.compile(r"[^/@]*@")  # user:password@ before a host


@dataclass(frozen=True)
class Uri:
    """A place that fsspec reaches; `text` is what it is given."""

    scheme: str
    rest: str  # without slashes at either end

    @property
    def text(self) -> str:
        """`scheme://rest`."""
        return f"{self.scheme}://{self.rest}"

    @property
    def name(self) -> str:
        """The last part."""
        return self.rest.rsplit("/", 1)[-1]

    def __truediv__(self, name: str) -> Uri:
        return Uri(self.scheme, f"{self.rest}/{name}" if self.rest else name)

    def __str__(self) -> str:
        """Return it without user, password and query, so that it can be printed."""
        return f"{self.scheme}://{_SECRET.sub('', self.rest.split('?', 1)[0], count=1)}"


def uri_of(place: str | Path) -> Uri | None:
    """Return the URI that a word or a path is; None for a path of this machine.

    `Path("s3://bucket/x")` is `s3:/bucket/x`; both are understood. `file://` is a local path.
    """
    found = _URI.fullmatch(str(place))
    if found is None or found["scheme"].lower() == "file":
        return None
    return Uri(found["scheme"].lower(), found["rest"].strip("/"))


def local_path(place: str | Path) -> Path:
    """Return a path of this machine, of `file://` URIs too."""
    found = _URI.fullmatch(str(place))
    if found is not None and found["scheme"].lower() == "file":
        return Path("/" + found["rest"].lstrip("/"))
    return Path(place)
