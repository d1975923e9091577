// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// Small helpers: find, make and fill elements; text is set as text, never as HTML.

export const find = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setChip(element, text, kind) {
  setText(element, text);
  element.dataset.kind = kind;
}

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Replace the children only when `key` has changed since the last call.
export function fill(element, key, build) {
  const text = JSON.stringify(key);
  if (element.dataset.key === text) return;
  element.dataset.key = text;
  element.replaceChildren(...build());
}

export function shownAge(seconds) {
  if (seconds === null || seconds === undefined) return "never";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// A canvas whose pixels fit its size on this screen; returns its context, in CSS pixels.
export function fitted(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  const size = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// A button that has to be pressed twice within three seconds.
export function onceMore(button, action) {
  const first = button.textContent;
  let timer = 0;
  const calm = () => { button.textContent = first; button.classList.remove("armed"); timer = 0; };
  button.addEventListener("click", () => {
    if (timer) { clearTimeout(timer); calm(); action(); return; }
    button.textContent = button.dataset.twice;
    button.classList.add("armed");
    timer = setTimeout(calm, 3000);
  });
}
