// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// The control socket: small JSON messages, a heartbeat, answers by number. No pictures ever.

const RETRY_MS = [200, 500, 1000, 2000];
const BEAT_MS = 500;

function pageKey(fresh = false) {
  let key = fresh ? null : sessionStorage.getItem("page");
  if (!key) {
    key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("page", key);
  }
  return key;
}

export class Link extends EventTarget {
  constructor() {
    super();
    this.open = false;
    this.heardMs = 0;
    this.tripMs = null;
    this.key = pageKey();
    this.waiting = new Map();
    this.number = 0;
    this.tries = 0;
    this.connect();
    setInterval(() => this.beat(), BEAT_MS);
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/control?page=${this.key}`);
    this.socket.onopen = () => { this.open = true; this.tries = 0; this.tell("link", true); };
    this.socket.onmessage = (event) => this.take(JSON.parse(event.data));
    this.socket.onclose = (event) => this.closed(event);
  }

  closed(event) {
    const was = this.open;
    this.open = false;
    for (const answer of this.waiting.values()) answer({ ok: false, text: "the connection was lost; it is not known whether this was done" });
    this.waiting.clear();
    if (was) this.tell("link", false);
    if (event.code === 1008 || (event.code === 1006 && this.tries > 2)) this.lookForDoor();
    // The same tab opened twice shares its key: this one goes on as another page.
    if (event.code === 4000) this.key = pageKey(true);
    const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)];
    setTimeout(() => this.connect(), wait);
  }

  // The console was started anew, perhaps with other tokens: its page says so.
  async lookForDoor() {
    const answer = await fetch("/", { cache: "no-store" }).catch(() => null);
    if (answer && answer.status === 401) location.reload();
  }

  take(message) {
    if (message.t === "answer") {
      if (message.id === "stop") this.tell("stopped", message);
      if (message.id === "drive") this.tell("drive", message);
      const answer = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (answer) answer(message);
      return;
    }
    this.heardMs = performance.now();
    this.tell(message.t, message);
  }

  tell(kind, detail) { this.dispatchEvent(new CustomEvent(kind, { detail })); }

  send(message) {
    if (!this.open) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  // Send and wait for the answer {ok, text}.
  ask(message) {
    return new Promise((resolve) => {
      const id = ++this.number;
      if (!this.send({ ...message, id })) { resolve({ ok: false, text: "there is no connection to the console" }); return; }
      this.waiting.set(id, resolve);
    });
  }

  command(what, value = null) { return this.ask({ t: "do", what, value }); }

  async beat() {
    if (!this.open) return;
    const sent = performance.now();
    await this.ask({ t: "beat" });
    this.tripMs = performance.now() - sent;
  }

  // Over the socket, and by a request of its own where the socket is not there or does not take it.
  stop() {
    const waits = this.open && this.socket.bufferedAmount > 0;
    if (!this.send({ t: "stop" }) || waits) {
      fetch("/stop", { method: "POST", keepalive: true })
        .then((answer) => this.tell("stopped", { ok: answer.ok, text: answer.ok ? "stop was sent" : "the console refused it" }))
        .catch(() => this.tell("stopped", { ok: false, text: "there is no connection: use the robot's own stop button" }));
    }
  }
}
