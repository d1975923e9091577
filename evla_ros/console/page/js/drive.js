// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// Driving by hand. Sources (pads, keys, gamepad) say what they hold; while any of them does, it is
// sent again and again. The server times the dead-man: a page that is silent has let go.
import { fill, find, make, setChip, setText } from "./dom.js";
import { Gamepads } from "./gamepad.js";
import { Keys } from "./keys.js";
import { holdButton, Pad } from "./pads.js";

const PERIOD_MS = 40;

export class Drive {
  constructor(link, say) {
    this.link = link;
    this.say = say;
    this.held = new Map();
    this.barred = new Set(); // held when it was let go for them: first they have to be released
    this.press = 0;
    this.pressing = false;
    this.arm = 0;
    this.controls = false;
    this.robot = { arms: [], axes: [], base: false };
    this.speed = () => Number(find("speed").value) / 100;
    find("speed").addEventListener("input", () => setText(find("speed-out"), `${find("speed").value} %`));
    new Pad(find("pad-move"), this, "move", (x, y) => ({ linear: [y, -x, 0] }));
    new Pad(find("pad-lift"), this, "lift", (x, y) => ({ linear: [0, 0, y], angular: [0, 0, -x] }));
    new Pad(find("pad-tilt"), this, "tilt", (x, y) => ({ angular: [x, y, 0] }));
    new Pad(find("pad-base"), this, "base", (x, y) => ({ base: [y, 0, -x] }));
    holdButton(find("grip-open"), this, "grip", () => ({ gripper: 1 }));
    holdButton(find("grip-close"), this, "grip", () => ({ gripper: 0 }));
    holdButton(find("side-left"), this, "side", () => ({ base: [0, 1, 0] }));
    holdButton(find("side-right"), this, "side", () => ({ base: [0, -1, 0] }));
    this.keys = new Keys(this);
    this.gamepads = new Gamepads(this);
    for (const kind of ["blur", "pagehide"]) window.addEventListener(kind, () => this.letGo());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.letGo(); });
    link.addEventListener("link", () => this.letGo());
    link.addEventListener("drive", (event) => this.refused(event.detail.text));
    setInterval(() => this.send(), PERIOD_MS);
  }

  // A source holds `ask` (deflections in -1 .. 1), or lets go with null.
  hold(source, ask) {
    if (ask === null) { this.held.delete(source); this.barred.delete(source); }
    else if (!this.barred.size) this.held.set(source, ask);
    this.send();
  }

  letGo() {
    for (const source of this.held.keys()) this.barred.add(source);
    this.held.clear();
    this.keys.clear();
    this.send();
  }

  send() {
    if (this.held.size) {
      if (!this.pressing) this.press = Math.max(this.press + 1, Date.now());
      this.pressing = true;
      this.link.send({ t: "drive", id: "drive", press: this.press, held: true, arm: this.arm, ...this.asked() });
    } else if (this.pressing) {
      this.pressing = false;
      this.link.send({ t: "drive", press: this.press, held: false });
    }
  }

  refused(text) {
    if (!this.held.size) return;
    this.letGo();
    this.say(text, false);
  }

  // The sum of what all sources hold, at the chosen speed.
  asked() {
    const sum = { linear: [0, 0, 0], angular: [0, 0, 0], base: [0, 0, 0], axis: 0, axis_rate: 0, gripper: null };
    for (const ask of this.held.values()) {
      for (const part of ["linear", "angular", "base"]) (ask[part] || []).forEach((value, i) => { sum[part][i] += value; });
      if (ask.axis_rate) { sum.axis = ask.axis || 0; sum.axis_rate += ask.axis_rate; }
      if (ask.gripper !== undefined) sum.gripper = ask.gripper;
    }
    const scaled = (value) => Math.max(-1, Math.min(1, value)) * this.speed();
    for (const part of ["linear", "angular", "base"]) sum[part] = sum[part].map(scaled);
    sum.axis_rate = scaled(sum.axis_rate);
    return sum;
  }

  setRobot(robot) {
    this.robot = robot;
    find("arms").hidden = robot.arms.length < 2;
    for (const id of ["pad-base", "side-left", "side-right"]) find(id).hidden = !robot.base;
    this.showArms();
    fill(find("axes"), robot.axes, () => robot.axes.flatMap((name, axis) => [["up", 1], ["down", -1]].map(([word, rate]) => {
      const button = make("button", { type: "button", class: "hold" }, `${name} ${word}`);
      holdButton(button, this, `axis${axis}`, () => ({ axis, axis_rate: rate }));
      return button;
    })));
  }

  choose(arm) {
    if (this.held.size || arm >= this.robot.arms.length) return;
    this.arm = arm;
    this.showArms();
  }

  showArms() {
    const arm = this.robot.arms[this.arm] || { gripper: false };
    for (const id of ["grip-open", "grip-close"]) find(id).hidden = !arm.gripper;
    fill(find("arms"), [this.robot.arms.map((one) => one.name), this.arm], () => [make("legend", {}, "Arm"), ...this.robot.arms.map((one, index) => {
      const button = make("button", { type: "button", "aria-pressed": String(index === this.arm) }, one.name);
      button.addEventListener("click", () => this.choose(index));
      return button;
    })]);
  }

  show(state) {
    this.controls = state.you.controls;
    const able = this.controls && state.nodes.teleop;
    for (const pad of document.querySelectorAll(".pad")) pad.setAttribute("aria-disabled", String(!able));
    for (const button of document.querySelectorAll(".hold")) button.disabled = !able;
    find("keys").disabled = !able;
    if (!able && this.held.size) this.letGo();
    const mine = state.driving && this.link.key.startsWith(state.driving);
    setChip(find("drive-state"), mine ? "✋ you drive" : state.driving ? "✋ another page drives" : "released", mine || state.driving ? "hand" : "wait");
    const why = !state.nodes.teleop ? "There is no teleoperation node; start one with `evla run teleop`." : !this.controls ? "This page watches; take control to drive." : "Hold to move, let go to stop. The robot's limits hold here too.";
    setText(find("drive-note"), why);
  }
}
