// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// The keyboard as a device: armed by its button, the same keys as the terminal's.
import { find, setText } from "./dom.js";

const MOVES = {
  w: ["linear", 0, 1], s: ["linear", 0, -1], a: ["linear", 1, 1], d: ["linear", 1, -1], q: ["linear", 2, 1], e: ["linear", 2, -1],
  u: ["angular", 0, 1], o: ["angular", 0, -1], i: ["angular", 1, 1], k: ["angular", 1, -1], j: ["angular", 2, 1], l: ["angular", 2, -1],
  ArrowUp: ["base", 0, 1], ArrowDown: ["base", 0, -1], ArrowLeft: ["base", 2, 1], ArrowRight: ["base", 2, -1], "<": ["base", 1, 1], ">": ["base", 1, -1],
};
const OTHERS = { g: { gripper: 1 }, h: { gripper: 0 }, "+": { axis_rate: 1 }, "-": { axis_rate: -1 } };

export class Keys {
  constructor(drive) {
    this.drive = drive;
    this.down = new Map();
    this.on = false;
    find("keys").addEventListener("click", () => this.arm(!this.on));
    document.addEventListener("keydown", (event) => this.key(event, true));
    document.addEventListener("keyup", (event) => this.key(event, false));
  }

  arm(on) {
    this.on = on;
    find("keys").setAttribute("aria-pressed", String(on));
    setText(find("keys"), on ? "Keyboard: on" : "Keyboard: off");
    if (!on) this.clear();
    this.drive.hold("keys", null);
  }

  clear() { this.down.clear(); }

  key(event, pressed) {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "range";
    if (!this.on || typing || event.ctrlKey || event.altKey || event.metaKey) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (pressed && /^[1-9]$/.test(name)) { this.drive.choose(Number(name) - 1); return; }
    if (!(name in MOVES) && !(name in OTHERS)) return;
    event.preventDefault();
    if (event.repeat) return;
    // By its place: a key that is let go after Shift has another letter.
    if (pressed) this.down.set(event.code, name); else this.down.delete(event.code);
    this.drive.hold("keys", this.down.size ? this.asked() : null);
  }

  asked() {
    const ask = { linear: [0, 0, 0], angular: [0, 0, 0], base: [0, 0, 0] };
    for (const name of this.down.values()) {
      if (name in MOVES) { const [part, index, sign] = MOVES[name]; ask[part][index] += sign; }
      else Object.assign(ask, OTHERS[name]);
    }
    return ask;
  }
}
