# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the package's files that are not Python lie: config, checkpoints, interface definitions.

The same in a checkout, in a colcon overlay (copied or linked) and in a pip installation.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from evla_ros.errors import EvlaError

_PACKAGE = Path(__file__).resolve().parent
_SHARE = Path("share") / "evla_ros"


def shared_root() -> Path:
    """Return the folder that holds `config/`, `checkpoints/`, `msg/`, `srv/` and `action/`.

    Raises:
        EvlaError: the installation is incomplete; the sentence names where was looked.
    """
    tried = []
    for folder in _candidates():
        if (folder / "config" / "embodiments").is_dir():
            return folder
        tried.append(str(folder))
    raise EvlaError(
        f"the files of evla_ros are not installed (no config/embodiments in {', '.join(tried)}): "
        "install the package again, with colcon or pip"
    )


def shared_file(*parts: str) -> Path:
    """Return the path of a shared file or folder, such as `("config", "dds", "x.xml")`."""
    return shared_root().joinpath(*parts)


def embodiments_folder() -> Path:
    """Return the folder of the shipped embodiment files."""
    return shared_file("config", "embodiments")


def models_folder() -> Path:
    """Return the folder of the model presets."""
    return shared_file("config", "models")


def training_config(name: str) -> Path:
    """Return the path of a shipped training configuration, such as `nano_tabletop`."""
    return shared_file("config", "training", f"{name}.yaml")


def node_parameters(node: str) -> Path:
    """Return the path of a node's shipped parameter file: `policy`, `recorder`, `sim`, `teleop`."""
    return shared_file("config", "params", f"{node}.yaml")


def large_images_profile() -> Path:
    """Return the Fast DDS profile that carries large images without losses."""
    return shared_file("config", "dds", "fastdds_large_images.xml")


def checkpoint_folder(embodiment_name: str) -> Path:
    """Return where the checkpoint that ships for a robot of that name would be."""
    return shared_file("checkpoints", embodiment_name)


def interface_files(kind: str) -> list[Path]:
    """Return this package's definitions of a kind: `msg`, `srv` or `action`."""
    return sorted(shared_file(kind).glob(f"*.{kind}"))


def in_checkout() -> bool:
    """Return whether the package runs from a checkout: what it was built from can be compared."""
    return shared_root() == _PACKAGE.parent


def message_shares() -> tuple[Path, ...]:
    """Return the share folders of the sourced ROS 2 workspaces, nearest first."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return tuple(Path(prefix) / "share" for prefix in prefixes if prefix)


def _candidates() -> Iterator[Path]:
    yield _PACKAGE.parent
    for parent in _PACKAGE.parents:
        yield parent / _SHARE
    yield Path(sys.prefix) / _SHARE
    for share in message_shares():
        yield share / "evla_ros"
