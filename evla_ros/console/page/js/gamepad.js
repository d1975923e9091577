// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// A gamepad in the browser's standard layout: the left shoulder button is the dead-man.
import { find, setText } from "./dom.js";

const DEAD_ZONE = 0.08;
const [A, X, Y, LEFT, RIGHT] = [0, 2, 3, 4, 5];
const [UP, DOWN, TO_LEFT, TO_RIGHT] = [12, 13, 14, 15];

export class Gamepads {
  constructor(drive) {
    this.drive = drive;
    this.before = [];
    this.open = new Map();
    this.gripUntil = 0;
    const look = () => { this.look(); requestAnimationFrame(look); };
    requestAnimationFrame(look);
  }

  look() {
    const pads = navigator.getGamepads ? [...navigator.getGamepads()].filter(Boolean) : [];
    const pad = pads[0];
    setText(find("pad-note"), pad ? `Gamepad: ${pad.id.slice(0, 40)}; hold the left shoulder button.` : window.isSecureContext ? "No gamepad is seen; press a button on one." : "A gamepad needs this page over TLS (https).");
    const pressed = pad ? pad.buttons.map((button) => button.pressed) : [];
    const edge = (number) => pressed[number] && !this.before[number];
    if (edge(RIGHT) && !pressed[LEFT]) this.drive.choose((this.drive.arm + 1) % this.drive.robot.arms.length);
    if (edge(A) && pressed[LEFT]) this.open.set(this.drive.arm, !(this.open.get(this.drive.arm) ?? true));
    const held = pressed[LEFT] && this.drive.controls && !find("keys").disabled;
    if (held) this.drive.hold("gamepad", this.asked(pad, pressed));
    else if (this.drive.held.has("gamepad") || this.drive.barred.has("gamepad")) this.drive.hold("gamepad", null);
    this.before = pressed;
  }

  asked(pad, pressed) {
    const stick = (number) => { const value = pad.axes[number] || 0; return Math.abs(value) > DEAD_ZONE ? value : 0; };
    const two = (one, other) => Number(Boolean(pressed[one])) - Number(Boolean(pressed[other]));
    const ask = {
      linear: [-stick(1), -stick(0), -stick(3)], angular: [0, 0, -stick(2)],
      base: [two(UP, DOWN), 0, two(TO_LEFT, TO_RIGHT)], axis_rate: two(Y, X),
    };
    if (this.open.has(this.drive.arm)) ask.gripper = this.open.get(this.drive.arm) ? 1 : 0;
    return ask;
  }
}
