# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which headless OpenGL this machine has: EGL first, else OSMesa, else one clear sentence.

MUJOCO_GL (egl or osmesa), when set, decides. Probing loads the libraries by ctypes only, because
PyOpenGL cannot change platform once it is imported.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from typing import Any

from evla_ros.sim.errors import SimError

_EGL_PLATFORM_DEVICE = 0x313F
_MAX_DEVICES = 16
_INSTALL = (
    "install one (Debian, Ubuntu: apt install libegl1 libgl1-mesa-dri, or libosmesa6), "
    "or run without images"
)


def choose_backend() -> str:
    """Return "egl" or "osmesa"; raises SimError when the machine has neither."""
    asked = os.environ.get("MUJOCO_GL", "").lower()
    if asked in ("egl", "osmesa"):
        return asked
    if asked in ("off", "disable", "disabled", "0", "false"):
        raise SimError(
            f"rendering is switched off by MUJOCO_GL={asked}; unset it, or set egl or osmesa"
        )
    if egl_works():
        return "egl"
    if osmesa_works():
        return "osmesa"
    raise SimError(f"no headless OpenGL here: neither EGL nor OSMesa can be loaded; {_INSTALL}")


def make_gl_context(width: int, height: int) -> tuple[str, Any]:
    """Return (backend, current GL context); raises SimError when it cannot be created."""
    backend = choose_backend()
    os.environ["PYOPENGL_PLATFORM"] = backend
    os.environ.setdefault("LP_NUM_THREADS", "1")
    try:
        module = importlib.import_module(f"mujoco.{backend}")
        context = module.GLContext(width, height)
        context.make_current()
    except Exception as error:
        raise SimError(
            f"the {backend} backend cannot open a GL context ({error}); {_INSTALL}"
        ) from error
    return backend, context


def osmesa_works() -> bool:
    """Return whether the OSMesa library can be loaded."""
    return _load("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so") is not None


def egl_works() -> bool:
    """Return whether EGL loads and has a device that initialises (a GPU, or Mesa's software)."""
    library = _load("libEGL.so.1", "libEGL.so")
    if library is None or _load("libOpenGL.so.0", "libGL.so.1") is None:
        return False
    library.eglGetProcAddress.restype = ctypes.c_void_p
    library.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    query = library.eglGetProcAddress(b"eglQueryDevicesEXT")
    display_of = library.eglGetProcAddress(b"eglGetPlatformDisplayEXT")
    if not query or not display_of:
        return False
    devices = (ctypes.c_void_p * _MAX_DEVICES)()
    count = ctypes.c_int(0)
    query_devices = ctypes.CFUNCTYPE(
        ctypes.c_uint, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int)
    )(query)
    if not query_devices(_MAX_DEVICES, devices, ctypes.byref(count)):
        return False
    get_display = ctypes.CFUNCTYPE(
        ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p
    )(display_of)
    library.eglInitialize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    displays = (get_display(_EGL_PLATFORM_DEVICE, d, None) for d in devices[: count.value])
    return any(d and library.eglInitialize(d, None, None) for d in displays)


def _load(*names: str) -> ctypes.CDLL | None:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
