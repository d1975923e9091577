// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// What was kept: thumbnails, playback of the cameras, labels, the trash.
import { fill, find, make, onceMore, setChip, setText } from "./dom.js";

const AGAIN_MS = 15000;
const STEP_MS = 100;
const OUTCOMES = { success: "✓ success", failure: "✕ failure", unknown: "no label" };

export class Episodes {
  constructor(link) {
    this.link = link;
    this.list = [];
    this.chosen = null;
    this.clip = null;
    this.timer = 0;
    find("player-close").addEventListener("click", () => find("player").close());
    find("player").addEventListener("close", () => this.pause());
    find("player-play").addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    find("player-at").addEventListener("input", () => this.draw());
    for (const button of document.querySelectorAll("[data-label]")) {
      button.addEventListener("click", () => this.command("label", { episode: this.chosen.name, outcome: button.dataset.label }));
    }
    onceMore(find("player-trash"), async () => { this.pause(); if (await this.command("trash", { episode: this.chosen.name })) find("player").close(); });
    setInterval(() => { if (!document.hidden) this.load(); }, AGAIN_MS);
    this.load();
  }

  async load() {
    const answer = await fetch("/episodes").catch(() => null);
    if (!answer || !answer.ok) return;
    const found = await answer.json();
    this.list = found.episodes;
    setText(find("ep-folder"), found.episodes.length ? `in ${found.folder}` : `No episode is kept in ${found.folder} yet.`);
    setChip(find("ep-count"), String(this.list.length), this.list.length ? "good" : "wait");
    fill(find("gallery"), this.list, () => this.list.map((episode) => this.card(episode)));
    if (this.chosen) { this.chosen = this.list.find((one) => one.name === this.chosen.name) || this.chosen; this.facts(); }
  }

  card(episode) {
    const image = make("img", { src: `/episodes/${encodeURIComponent(episode.name)}/thumbnail`, alt: "", loading: "lazy" });
    const warned = episode.problem || episode.complete === false || (episode.converter || []).length;
    const what = [OUTCOMES[episode.outcome] || "no label", episode.duration_s ? `${episode.duration_s.toFixed(1)} s` : episode.state];
    const button = make("button", { type: "button" }, image, make("span", {}, episode.instruction || "no instruction"), make("span", warned ? { class: "warn" } : {}, `${warned ? "⚠ " : ""}${what.join(", ")}`), make("span", {}, episode.name));
    button.addEventListener("click", () => this.open(episode));
    return make("li", {}, button);
  }

  async open(episode) {
    this.chosen = episode;
    this.clip = null;
    setText(find("player-name"), episode.instruction || episode.name);
    setText(find("player-answer"), "reading the pictures…");
    find("player-tiles").replaceChildren();
    this.facts();
    // Not modal: STOP stays in reach.
    find("player").show();
    find("player-close").focus();
    const answer = await fetch(`/episodes/${encodeURIComponent(episode.name)}/clip`);
    if (!answer.ok) { setText(find("player-answer"), await answer.text()); return; }
    if (this.chosen.name !== episode.name) return;
    this.clip = await answer.json();
    setText(find("player-answer"), this.clip.note);
    const cameras = Object.keys(this.clip.cameras);
    find("player-tiles").replaceChildren(...cameras.map((name) => make("figure", { class: "tile" }, make("img", { alt: `Camera ${name}`, "data-camera": name, width: "100%" }), make("figcaption", {}, make("span", {}, name)))));
    const bar = find("player-at");
    bar.max = String(this.clip.duration_s);
    bar.value = "0";
    this.draw();
    this.play();
  }

  facts() {
    const e = this.chosen;
    const parts = [e.name, OUTCOMES[e.outcome] || "no label", e.messages === undefined ? "" : `${e.messages} messages, ${e.lost} lost`, e.megabytes === undefined ? "" : `${e.megabytes.toFixed(1)} MB`, e.operator ? `by ${e.operator}` : ""];
    setText(find("player-facts"), parts.filter(Boolean).join(", "));
    const notes = [e.problem, e.note, ...(e.converter || [])].filter(Boolean);
    fill(find("player-notes"), notes, () => notes.map((text) => make("li", {}, `⚠ ${text}`)));
  }

  draw() {
    if (!this.clip) return;
    const at = Number(find("player-at").value);
    setText(find("player-time"), `${at.toFixed(1)} s`);
    for (const image of find("player-tiles").querySelectorAll("img")) {
      const times = this.clip.cameras[image.dataset.camera];
      let number = times.findIndex((time) => time > at);
      number = number < 0 ? times.length - 1 : Math.max(0, number - 1);
      if (image.dataset.n !== String(number)) {
        image.dataset.n = String(number);
        image.src = `/episodes/${encodeURIComponent(this.chosen.name)}/clip/${encodeURIComponent(image.dataset.camera)}/${number}`;
      }
    }
  }

  play() {
    if (!this.clip) return;
    const bar = find("player-at");
    if (Number(bar.value) >= Number(bar.max) - 0.05) bar.value = "0";
    setText(find("player-play"), "❚❚ Pause");
    this.timer = setInterval(() => {
      bar.value = String(Number(bar.value) + STEP_MS / 1000);
      this.draw();
      if (Number(bar.value) >= Number(bar.max) - 0.05) this.pause();
    }, STEP_MS);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    setText(find("player-play"), "▶ Play");
  }

  async command(what, value) {
    const answer = await this.link.command(what, value);
    setText(find("player-answer"), answer.ok ? answer.text : `Refused: ${answer.text}`);
    await this.load();
    return answer.ok;
  }
}
