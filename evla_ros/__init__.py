# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run an EdgeVLA policy on a ROS 2 robot and close the data loop around it.

What a user imports is here by name, and loaded when it is first asked for, so that
`import evla_ros` needs neither torch nor ROS 2:

    from evla_ros import RldsDataset, load_embodiment
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evla_ros.data.rlds.reader import RldsDataset
    from evla_ros.embodiment import Embodiment, load_embodiment
    from evla_ros.model.predictor import Predictor
    from evla_ros.policy.protocol import Policy
    from evla_ros.policy.types import Chunk, Observation

# The generated `msg` and `srv` live in the installed overlay, this code perhaps in a checkout.
__path__ = extend_path(__path__, __name__)
__all__ = [
    "Chunk",
    "Embodiment",
    "Observation",
    "Policy",
    "Predictor",
    "RldsDataset",
    "load_embodiment",
]

_HOMES = {
    "Chunk": "evla_ros.policy.types",
    "Embodiment": "evla_ros.embodiment",
    "Observation": "evla_ros.policy.types",
    "Policy": "evla_ros.policy.protocol",
    "Predictor": "evla_ros.model.predictor",
    "RldsDataset": "evla_ros.data.rlds.reader",
    "load_embodiment": "evla_ros.embodiment",
}


def __getattr__(name: str) -> Any:
    """Import a public name from the module that has it; `__version__` is read when asked for."""
    if name == "__version__":
        return import_module("evla_ros.version").version()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
