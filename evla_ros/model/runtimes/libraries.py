# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The optional libraries of the runtimes; none of them sends usage data from here."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType

from evla_ros.errors import nearest
from evla_ros.model.errors import RuntimeChoiceError

RUNTIMES = ("torch", "openvino", "onnx")
_MODULE = {"openvino": "openvino", "onnx": "onnxruntime"}
_CONVERTS = {"openvino": "openvino", "onnx": "onnx"}


def check_runtime(name: str, choices: tuple[str, ...] = ("auto", *RUNTIMES)) -> str:
    """Return the name of a runtime.

    Raises:
        RuntimeChoiceError: there is none of that name.
    """
    if name not in choices:
        raise RuntimeChoiceError(f"unknown runtime {name!r}; {nearest(name, choices)}")
    return name


def is_installed(runtime: str) -> bool:
    """Return whether the library that runs the graphs of a runtime can be imported."""
    module = _MODULE.get(runtime)
    return module is None or importlib.util.find_spec(module) is not None


def converts(runtime: str) -> bool:
    """Return whether the library that writes the graphs of a runtime can be imported."""
    return importlib.util.find_spec(_CONVERTS[runtime]) is not None


def load(module: str, extra: str, what: str) -> ModuleType:
    """Import a library of a runtime.

    OpenVINO and NNCF report to their makers whenever a network is converted, through a package of
    their own that they do without where it cannot be imported: here it never can.

    Args:
        module: what is imported, such as `openvino` or `onnxruntime.quantization`.
        extra: of this package, which installs it.
        what: needs it, for the message.

    Raises:
        RuntimeChoiceError: it is not installed.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    sys.modules["openvino_telemetry.backend"] = None  # type: ignore[assignment]
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        raise RuntimeChoiceError(
            f"{what} needs {error.name or module}, which is not installed: "
            f"pip install 'evla_ros[{extra}]'"
        ) from error
    _silence()
    return loaded


def _silence() -> None:
    """Take the reporting from what was imported before, by somebody else."""
    for name, module in list(sys.modules.items()):
        if name.startswith("openvino.tools.ovc.") and hasattr(module, "tm"):
            vars(module)["tm"] = importlib.import_module("openvino.tools.ovc.telemetry_stub")


@contextlib.contextmanager
def quiet_tracing() -> Iterator[None]:
    """Keep from the terminal what torch's tracer says about constants and about its own future."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
