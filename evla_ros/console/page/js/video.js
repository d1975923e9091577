// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// The video socket and the camera tiles: one picture of a camera in flight, its age beside it.
import { find, make, setText, shownAge } from "./dom.js";

const STALE_S = 1.0;
const RETRY_MS = 1000;
const decoder = new TextDecoder();

export class Video {
  constructor() {
    this.tiles = new Map();
    this.shown = [];
    this.socket = null;
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.ages(), 200);
  }

  setCameras(names) {
    if ([...this.tiles.keys()].join() === names.join()) return;
    this.tiles.clear();
    find("tiles").replaceChildren(...names.map((name) => this.tile(name)));
    this.look();
  }

  tile(name) {
    const canvas = make("canvas", { role: "img", "aria-label": `Camera ${name}`, width: "640", height: "480" });
    const age = make("span", {}, "no picture yet");
    this.tiles.set(name, { canvas, age, figure: null, seenMs: 0, ageS: null, problem: "" });
    const figure = make("figure", { class: "tile", "data-stale": "true", "data-camera": name }, canvas, make("figcaption", {}, make("span", {}, name), age));
    this.tiles.get(name).figure = figure;
    return figure;
  }

  // Ask for pictures while somebody can see them.
  look() {
    this.shown = document.hidden ? [] : [...this.tiles.keys()];
    if (!this.socket && this.shown.length) this.connect();
    else this.ask();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = this.socket = new WebSocket(`${scheme}://${location.host}/video`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.ask();
    socket.onmessage = (event) => this.show(event.data);
    socket.onclose = () => { this.socket = null; setTimeout(() => this.look(), RETRY_MS); };
  }

  ask() {
    if (this.socket && this.socket.readyState === 1) this.socket.send(JSON.stringify({ show: this.shown }));
  }

  async show(data) {
    const size = new DataView(data).getUint32(0, true);
    const head = JSON.parse(decoder.decode(new Uint8Array(data, 4, size)));
    const tile = this.tiles.get(head.camera);
    try {
      if (!tile) return;
      const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4 + size)], { type: "image/jpeg" }));
      if (tile.canvas.width !== picture.width || tile.canvas.height !== picture.height) {
        tile.canvas.width = picture.width;
        tile.canvas.height = picture.height;
      }
      tile.canvas.getContext("2d").drawImage(picture, 0, 0);
      picture.close();
      tile.seenMs = performance.now();
      tile.ageS = head.age_s < 0 ? null : head.age_s;
      tile.figure.dataset.n = head.n;
    } finally {
      if (this.socket && this.socket.readyState === 1) this.socket.send(JSON.stringify({ got: head.camera }));
    }
  }

  problems(found) {
    for (const [name, tile] of this.tiles) tile.problem = found[name] || "";
  }

  ages() {
    for (const tile of this.tiles.values()) {
      const since = tile.seenMs ? (performance.now() - tile.seenMs) / 1000 : null;
      const stale = since === null || since + (tile.ageS || 0) > STALE_S;
      tile.figure.dataset.stale = String(stale);
      const age = since === null ? "no picture yet" : shownAge(since + (tile.ageS || 0));
      setText(tile.age, tile.problem || (stale && since !== null ? `⚠ ${age} old` : age));
      tile.age.title = tile.ageS === null ? "since it arrived here" : "since it was taken";
    }
  }
}
