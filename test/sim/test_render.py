# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from evla_ros.sim import gl_backend
from evla_ros.sim.errors import SimError
from evla_ros.sim.render import Renderer
from evla_ros.sim.world import World

HUES = {"red": (0, 1, 2), "green": (1, 0, 2), "blue": (2, 0, 1)}


def coloured_pixels(image: np.ndarray, colour: str) -> int:
    main, a, b = HUES[colour]
    pixels = image.astype(int)
    strong = pixels[..., main] > 2 * np.maximum(pixels[..., a], pixels[..., b]) - 20
    return int((strong & (pixels[..., main] > 70)).sum())


def test_every_camera_is_rgb_of_the_asked_size(tabletop: World, backend: str) -> None:
    tabletop.reset(0)
    images = tabletop.images()
    assert set(images) == set(tabletop.embodiment.cameras)
    for image in images.values():
        assert image.shape == (96, 96, 3)
        assert image.dtype == np.uint8
        assert image.std() > 10


@pytest.mark.parametrize("colour", sorted(HUES))
def test_colours_are_told_apart_at_96_px(tabletop: World, backend: str, colour: str) -> None:
    for seed in range(6):
        tabletop.reset(seed, f"lift the {colour} block")
        assert coloured_pixels(tabletop.images()["primary"], colour) >= 8


def test_the_same_state_gives_the_same_pixels(tabletop: World, backend: str) -> None:
    tabletop.reset(3, "lift")
    first = tabletop.images()
    tabletop.reset(4)
    tabletop.images()
    tabletop.reset(3, "lift")
    again = tabletop.images()
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_pretty_frames_have_shadows_and_any_size(tabletop: World, backend: str) -> None:
    tabletop.reset(3, "lift", randomize=False)
    fast = tabletop.render("overview", 160, 120, "fast")
    pretty = tabletop.render("overview", 160, 120, "pretty")
    assert fast.shape == pretty.shape == (120, 160, 3)
    assert np.abs(fast.astype(int) - pretty).mean() > 1.0


def test_a_closed_renderer_says_so(tabletop: World, backend: str) -> None:
    renderer = Renderer(tabletop.model, 32, 32)
    renderer.close()
    renderer.close()
    with pytest.raises(SimError, match="closed"):
        renderer.render(tabletop.data, "primary")


def test_mistakes_are_named(tabletop: World, backend: str) -> None:
    with pytest.raises(SimError, match="did you mean 'pretty'"):
        Renderer(tabletop.model, 32, 32, "prety")
    with pytest.raises(SimError, match="did you mean 'overview'"):
        tabletop.render("overwiev")
    with pytest.raises(SimError, match="8 to 4096"):
        Renderer(tabletop.model, 2, 2)


@pytest.mark.parametrize("name", ["egl", "osmesa"])
def test_both_backends_draw_the_same_scene(name: str) -> None:
    if not {"egl": gl_backend.egl_works, "osmesa": gl_backend.osmesa_works}[name]():
        pytest.skip(f"this machine has no {name}")
    code = (
        "from evla_ros.sim.worlds import make_world\n"
        "world = make_world('tabletop_arm', image_size=64)\n"
        "world.reset(0, 'lift the red block', randomize=False)\n"
        "print(world.images()['primary'].mean(axis=(0, 1)).round().tolist())\n"
    )
    environment = {**os.environ, "MUJOCO_GL": name}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    red, green, blue = json.loads(done.stdout)
    assert 255 > red > green > blue > 20
    assert done.stderr == ""


def test_no_backend_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl_backend, "_load", lambda *_names: None)
    with pytest.raises(SimError, match="neither EGL nor OSMesa .* apt install"):
        gl_backend.choose_backend()


def test_osmesa_is_taken_when_egl_has_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl_backend, "egl_works", lambda: False)
    monkeypatch.setattr(gl_backend, "osmesa_works", lambda: True)
    assert gl_backend.choose_backend() == "osmesa"


def test_rendering_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "off")
    with pytest.raises(SimError, match="MUJOCO_GL=off"):
        gl_backend.choose_backend()
