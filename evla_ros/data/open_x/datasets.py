# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All known datasets by name."""

from __future__ import annotations

from collections.abc import Mapping

from evla_ros.data.open_x.catalogue.droid import DROID
from evla_ros.data.open_x.catalogue.magic_soup import SOUP
from evla_ros.data.open_x.catalogue.others import OTHERS
from evla_ros.data.open_x.catalogue.rtx import RTX
from evla_ros.data.open_x.dataset import OpenXDataset

DATASETS: Mapping[str, OpenXDataset] = {**RTX, **SOUP, **DROID, **OTHERS}
_SAME = {other: name for name, found in DATASETS.items() for other in found.other_names}


def known_name(name: str) -> str | None:
    """Return the name under which a dataset is known, or None for another dataset."""
    return name if name in DATASETS else _SAME.get(name)
