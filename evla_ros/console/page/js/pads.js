// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// Round pads and hold buttons, for fingers, mice and the arrow keys. Whatever ends a touch lets go.

const LONGEST_TAP_MS = 300;
const ARROWS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const ENDS = ["pointerup", "pointercancel", "lostpointercapture"];

export class Pad {
  constructor(element, drive, name, meaning) {
    this.element = element;
    this.knob = element.querySelector("i");
    this.drive = drive;
    this.name = name;
    this.meaning = meaning;
    this.pointer = null;
    this.keys = new Set();
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => { if (event.pointerId === this.pointer) this.move(event); });
    for (const kind of ENDS) element.addEventListener(kind, (event) => { if (event.pointerId === this.pointer) this.end(); });
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("keydown", (event) => this.key(event, true));
    element.addEventListener("keyup", (event) => this.key(event, false));
    element.addEventListener("blur", () => this.end());
  }

  get able() { return this.element.getAttribute("aria-disabled") !== "true"; }

  down(event) {
    if (!this.able || this.pointer !== null || event.button > 0) return;
    this.pointer = event.pointerId;
    this.element.setPointerCapture(event.pointerId);
    this.move(event);
  }

  move(event) {
    const box = this.element.getBoundingClientRect();
    let x = (event.clientX - box.left - box.width / 2) / (box.width / 2);
    let y = -(event.clientY - box.top - box.height / 2) / (box.height / 2);
    const length = Math.hypot(x, y);
    if (length > 1) { x /= length; y /= length; }
    this.ask(x, y);
  }

  key(event, pressed) {
    if (!(event.key in ARROWS) || this.drive.keys.on) return;
    event.preventDefault();
    if (!this.able || event.repeat) return;
    if (pressed) this.keys.add(event.key); else this.keys.delete(event.key);
    if (!this.keys.size) { this.end(); return; }
    const sum = [...this.keys].reduce(([x, y], key) => [x + ARROWS[key][0], y + ARROWS[key][1]], [0, 0]);
    this.ask(...sum);
  }

  ask(x, y) {
    this.element.classList.add("held");
    this.knob.style.transform = `translate(${x * 85}%, ${-y * 85}%)`;
    this.drive.hold(this.name, this.meaning(x, y));
  }

  end() {
    this.pointer = null;
    this.keys.clear();
    this.element.classList.remove("held");
    this.knob.style.transform = "";
    this.drive.hold(this.name, null);
  }
}

// A button that acts while it is held; a short tap counts for a moment.
export function holdButton(button, drive, name, meaning) {
  let since = 0, held = false;
  const down = () => {
    if (button.disabled || held) return;
    held = true;
    since = performance.now();
    button.classList.add("held");
    drive.hold(name, meaning());
  };
  const end = () => {
    if (!held) return;
    held = false;
    button.classList.remove("held");
    const left = LONGEST_TAP_MS - (performance.now() - since);
    if (left > 0) setTimeout(() => { if (!held) drive.hold(name, null); }, left);
    else drive.hold(name, null);
  };
  button.addEventListener("pointerdown", (event) => { if (event.button > 0) return; button.setPointerCapture(event.pointerId); down(); });
  for (const kind of ENDS) button.addEventListener(kind, end);
  button.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.repeat) down(); });
  button.addEventListener("keyup", (event) => { if (event.key === "Enter") end(); });
  button.addEventListener("blur", end);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}
