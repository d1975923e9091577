// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// Per stream rate, age and health, from policy and recorder; open pages; who did what.
import { fill, find, make, setText, shownAge } from "./dom.js";

function rows(state, space) {
  const found = [];
  for (const stream of state.policy ? state.policy.streams : []) {
    found.push([stream.name, stream.age_s === null ? "✕ never seen" : stream.stale ? "⚠ too old" : "✓ fresh", stream.rate_hz, stream.age_s, stream.max_age_s, stream.stale]);
  }
  for (const topic of state.recorder ? state.recorder.topics : []) {
    const bad = topic.state !== "ok";
    found.push([topic.name.startsWith(space) ? topic.name.slice(space.length) : topic.name, `${bad ? "⚠" : "✓"} ${topic.state}`, topic.rate_hz, topic.age_s, null, bad]);
  }
  return found;
}

export class Health {
  constructor() { this.space = "/"; }

  setRobot(robot) { this.space = `${robot.namespace.replace(/\/$/, "")}/`; }

  show(state) {
    const body = find("stream-rows"), all = rows(state, this.space);
    if (body.children.length !== Math.max(all.length, 1) || !all.length) {
      body.replaceChildren(...(all.length ? all : [["No node tells of its streams yet.", "", null, undefined, null]]).map(() => make("tr", {}, ...Array.from({ length: 5 }, () => make("td")))));
      if (!all.length) setText(body.rows[0].cells[0], "No node tells of its streams yet.");
    }
    all.forEach(([name, word, rate, age, most, bad], index) => {
      const row = body.rows[index];
      row.dataset.bad = String(Boolean(bad));
      [name, word, rate === null ? "" : `${rate.toFixed(1)} Hz`, shownAge(age), most === null ? "" : shownAge(most)].forEach((text, cell) => setText(row.cells[cell], text));
    });
    fill(find("people"), state.pages, () => state.pages.map((page) => make("li", {}, `${page.name}${page.controls ? " controls" : page.reads_only ? " watches (read-only)" : " watches"}${page.away ? " (away)" : ""}${page.asks ? ", asks for control" : ""}`)));
    fill(find("lines"), state.lines.map((line) => line.n), () => [...state.lines].reverse().map((line) => make("li", { "data-ok": String(line.ok) }, `${line.at}  ${line.text}`)));
  }
}
