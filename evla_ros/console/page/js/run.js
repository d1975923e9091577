// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// The reason line, the instruction, start and stop, and who has control.
import { fill, find, make, setChip, setText } from "./dom.js";

const LEVELS = {
  moving: ["▶", "Moving"], limited: ["◧", "Moving, limited"], teleop: ["✋", "Driven by hand"], waiting: ["…", "Waiting"],
  idle: ["■", "Idle"], stopped: ["⛔", "Emergency stop"], fault: ["⚠", "Fault"],
};
const SAID_MS = 6000;
const MOST_HISTORY = 30;

let saidTimer = 0;
export function say(text, ok = true) {
  const said = find("said");
  said.dataset.ok = String(ok);
  said.hidden = false;
  setText(said, text);
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { said.hidden = true; }, SAID_MS);
}

function history() { return JSON.parse(localStorage.getItem("instructions") || "[]"); }

function remember(text) {
  const kept = [text, ...history().filter((one) => one !== text)].slice(0, MOST_HISTORY);
  localStorage.setItem("instructions", JSON.stringify(kept));
  showHistory();
}

function showHistory() {
  fill(find("history"), history(), () => history().map((text) => make("option", { value: text })));
}

export class Run {
  constructor(link) {
    this.link = link;
    showHistory();
    find("stop").addEventListener("click", () => this.stop());
    for (const kind of ["keydown", "keyup"]) document.addEventListener(kind, (event) => this.key(event), true);
    find("start").addEventListener("click", () => this.start());
    find("instruct").addEventListener("submit", (event) => this.instruct(event));
    find("scene").addEventListener("click", () => this.told("scene"));
    find("reset-estop").addEventListener("click", () => this.told("reset_estop"));
    find("take").addEventListener("click", () => this.control(this.you && this.you.controls ? "release" : "take"));
    find("grant").addEventListener("click", () => this.control("grant", this.you.asking[0].key));
    find("deny").addEventListener("click", () => this.control("deny", this.you.asking[0].key));
    link.addEventListener("stopped", (event) => say(`Stop: ${event.detail.text}`, event.detail.ok));
  }

  stop() { this.link.stop(); }

  // Space stops wherever no text is typed, Escape everywhere. Buttons are pressed with Enter.
  key(event) {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "range";
    const stops = (event.code === "Space" && !typing) || event.key === "Escape";
    if (!stops) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "keydown" && !event.repeat) this.stop();
  }

  async told(what, value = null) {
    const answer = await this.link.command(what, value);
    say(answer.text, answer.ok);
    return answer;
  }

  async start() {
    const answer = await this.told("start");
    setText(find("start-answer"), answer.ok ? "" : `Not started: ${answer.text}`);
  }

  async instruct(event) {
    event.preventDefault();
    const text = find("instruction").value.trim();
    const answer = await this.told("instruction", text);
    if (answer.ok && text) remember(text);
  }

  async control(what, to = null) {
    const answer = await this.link.ask({ t: "control", what, to });
    say(answer.text, answer.ok);
  }

  show(state) {
    this.you = state.you;
    const policy = state.policy;
    this.banner(state, policy);
    this.roles(state);
    const instruction = (policy && policy.instruction) || state.instruction || (state.recorder && state.recorder.instruction) || "";
    setText(find("current"), instruction || "none");
    find("reset-estop").hidden = !(policy && policy.level === "stopped") && !state.estop.pressed;
    find("scene").hidden = !state.nodes.sim;
    const by = state.teleop_active ? `a person (${state.authority || "teleoperation"})` : policy && policy.moving ? "the policy" : "nobody";
    setText(find("authority"), by);
    setText(find("policy"), policy ? `${policy.policy.split("/").slice(-1)[0]} on ${policy.embodiment}` : "no policy node");
    setText(find("goals"), policy ? `${policy.goal_rate_hz.toFixed(0)} Hz` : "–");
    find("sim-fact").hidden = !state.sim;
    if (state.sim) setText(find("sim"), `${state.sim.success ? "✓ solved" : "not solved"}, ${state.sim.elapsed_s.toFixed(0)} s: ${state.sim.instruction}`);
    const count = policy ? Object.entries(policy.limits) : [];
    setText(find("limits"), count.length ? `Limits that clipped: ${count.map(([name, n]) => `${name} ${n}×`).join(", ")}` : "No limit has clipped.");
  }

  banner(state, policy) {
    let level = "idle", reason = "There is no policy node; start one with `evla run policy`. Driving and recording do not need it.";
    if (policy && policy.silent) { level = "fault"; reason = `The policy node has said nothing for ${policy.heard_s.toFixed(0)} s.`; }
    else if (policy) { level = policy.level; reason = policy.reason_text; }
    if (state.teleop_active && (!policy || policy.silent)) { level = "teleop"; reason = "A person holds the dead-man."; }
    if (state.estop.pressed && level !== "stopped") { level = "stopped"; reason = "The emergency stop is pressed."; }
    const [mark, word] = LEVELS[level];
    find("banner").dataset.level = level;
    setText(find("mark"), mark);
    setText(find("level"), word);
    setText(find("reason"), reason);
  }

  roles(state) {
    const you = state.you;
    const holder = state.pages.find((page) => page.controls);
    setChip(find("role"), you.controls ? "✓ you control" : holder ? `${holder.name} controls${holder.away ? " (away)" : ""}` : "nobody controls", you.controls ? "good" : "wait");
    const take = find("take");
    take.hidden = !you.may_control;
    setText(take, you.controls ? "Give up control" : you.asked ? "Asked…" : holder ? "Ask for control" : "Take control");
    const asking = you.asking[0];
    find("asked").hidden = !asking;
    if (asking) setText(find("asker"), `${asking.name} asks for control of the robot.`);
    for (const button of document.querySelectorAll("[data-command]")) button.disabled = !you.controls;
  }
}
