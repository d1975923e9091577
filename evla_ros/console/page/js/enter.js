// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// Trades a token, typed or behind the # of a link, for the cookie that stands for it.
import { find, setText } from "./dom.js";

async function enter(token) {
  const answer = await fetch("/enter", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) });
  if (answer.ok) location.replace("/");
  else setText(find("answer"), "Nobody has this token. Open the newest link that the console printed.");
}

find("form").addEventListener("submit", (event) => { event.preventDefault(); enter(find("token").value.trim()); });
function enterByLink() {
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", "/");
  enter(token);
}
window.addEventListener("hashchange", enterByLink);
enterByLink();
