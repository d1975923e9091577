// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// Puts the parts of the page together and hands every state of the robot to all of them.
import { find, setChip, setText } from "./dom.js";
import { Drive } from "./drive.js";
import { Episodes } from "./episodes.js";
import { Health } from "./health.js";
import { Link } from "./link.js";
import { Motion } from "./motion.js";
import { Record } from "./record.js";
import { Run, say } from "./run.js";
import { Timeline } from "./timeline.js";
import { Video } from "./video.js";

const LOST_MS = 1500;
const THEMES = { auto: "Colours: as the device", light: "Colours: light", dark: "Colours: dark" };

// Somebody who is in already opens a link with another token.
async function enterAnew() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", "/");
  const answer = await fetch("/enter", { method: "POST", body: JSON.stringify({ token }) });
  if (answer.ok) location.reload();
}
window.addEventListener("hashchange", enterAnew);
if (location.hash.length > 1) enterAnew();

const link = new Link();
const video = new Video();
const run = new Run(link);
const drive = new Drive(link, say);
const motion = new Motion();
const episodes = new Episodes(link);
const record = new Record(link, () => episodes.load());
const health = new Health();
const parts = [run, drive, motion, record, new Timeline(), health];
let version = "";

link.addEventListener("robot", ({ detail }) => {
  // A console that was updated meanwhile speaks to a new page.
  if (version && detail.version !== version) location.reload();
  version = detail.version;
  setText(find("robot"), detail.name);
  document.title = `${detail.name}: robot console`;
  video.setCameras(detail.cameras);
  drive.setRobot(detail);
  motion.setRobot(detail);
  health.setRobot(detail);
});
link.addEventListener("state", ({ detail }) => {
  for (const part of parts) part.show(detail);
  video.problems(detail.camera_problems);
});

setInterval(() => {
  const silent = performance.now() - link.heardMs;
  const lost = !link.open || silent > LOST_MS;
  document.body.dataset.link = lost ? "lost" : "good";
  setChip(find("link"), lost ? "✕ no contact" : `✓ live${link.tripMs === null ? "" : `, ${Math.round(link.tripMs)} ms`}`, lost ? "bad" : "good");
  if (lost && link.heardMs) {
    find("banner").dataset.level = "fault";
    setText(find("mark"), "⚠");
    setText(find("level"), "No contact");
    setText(find("reason"), `Nothing was heard from the console for ${Math.round(silent / 1000)} s. What is shown is old; the dead-man is let go.`);
  }
}, 250);

for (const button of document.querySelectorAll("[data-goto]")) {
  button.addEventListener("click", () => {
    document.body.dataset.tab = button.dataset.goto;
    for (const other of document.querySelectorAll("[data-goto]")) other.setAttribute("aria-pressed", String(other === button));
    window.scrollTo(0, 0);
  });
}

function setTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  localStorage.setItem("theme", name);
  find("theme").setAttribute("aria-label", THEMES[name]);
  find("theme").title = THEMES[name];
}
setTheme(localStorage.getItem("theme") || "auto");
find("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES), now = localStorage.getItem("theme") || "auto";
  setTheme(names[(names.indexOf(now) + 1) % names.length]);
});
