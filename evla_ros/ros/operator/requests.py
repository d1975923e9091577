# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the words of a command line to a service's request, for the types that our nodes serve."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from evla_ros.errors import EvlaError, nearest

_SWITCH = MappingProxyType({"on": True, "true": True, "off": False, "false": False})


class Asked(NamedTuple):
    """What a command line says besides the service; text and seed are None where it does not."""

    text: str | None
    seed: int | None


class _Form(NamedTuple):
    """takes: what follows the service on the command line; fields: of the request."""

    takes: str
    fields: Callable[[Asked], dict[str, Any]]


def _nothing(asked: Asked) -> dict[str, Any]:
    if asked.text is not None:
        raise EvlaError(f"it takes no text; leave {asked.text!r} out")
    return {}


def _switch(asked: Asked) -> dict[str, Any]:
    if asked.text is None or asked.text not in _SWITCH:
        raise EvlaError(
            f"it takes on or off{'' if asked.text is None else f', not {asked.text!r}'}"
        )
    return {"data": _SWITCH[asked.text]}


def _instruction(asked: Asked) -> dict[str, Any]:
    if asked.text is None:
        raise EvlaError('it takes the instruction, in quotes; "" clears it')
    return {"instruction": asked.text}


def _episode(asked: Asked) -> dict[str, Any]:
    return {"task": asked.text or "", "seed": -1 if asked.seed is None else asked.seed}


_FORMS: Mapping[str, _Form] = MappingProxyType(
    {
        "std_srvs/srv/Trigger": _Form("", _nothing),
        "std_srvs/srv/SetBool": _Form("on|off", _switch),
        "evla_ros/srv/SetInstruction": _Form('"TEXT"', _instruction),
        "evla_ros/srv/ResetSim": _Form("[TASK] [--seed N]", _episode),
    }
)


def callable_services(services: Mapping[str, str]) -> dict[str, str]:
    """Return those of a node's services that can be asked for, with what they take."""
    return {name: _FORMS[kind].takes for name, kind in sorted(services.items()) if kind in _FORMS}


def request_for(service: str, services: Mapping[str, str], asked: Asked) -> tuple[Any, Any]:
    """Return the class of a service, and the request that was asked for.

    Args:
        service: Its short name, such as `start`.
        services: What its node serves, by short name, with the types.
        asked: What else is on the command line.

    Raises:
        EvlaError: The node has no such service, it cannot be asked for here, or what it takes was
            not given.
    """
    known = callable_services(services)
    if service not in services:
        raise EvlaError(f"it has no service {service!r}; {nearest(service, known)}")
    if service not in known:
        raise EvlaError(
            f"its service {service!r} takes a {services[service]}, which only `ros2 service call` "
            "can make"
        )
    form = _FORMS[services[service]]
    if asked.seed is not None and form.fields is not _episode:
        raise EvlaError(f"{service!r} takes no --seed")
    try:
        fields = form.fields(asked)
    except EvlaError as error:
        raise EvlaError(f"{service!r}: {error}") from error
    package, _, name = services[service].partition("/srv/")
    kind = getattr(importlib.import_module(f"{package}.srv"), name)
    return kind, kind.Request(**fields)
