// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// The policy's last chunks: from the picture to the last action, inference dark, seams where the next takes over.
import { colour, find, fitted, setText } from "./dom.js";

const LANES = 4;
const LEAST_SPAN_S = 4;

export class Timeline {
  show(state) {
    const chunks = state.chunks;
    const last = chunks[chunks.length - 1];
    setText(find("chunk-age"), last ? `${last.old_ms.toFixed(0)} ms` : "–");
    const policy = state.policy;
    const usual = policy && policy.inference_p50_ms !== null ? `p50 ${policy.inference_p50_ms.toFixed(0)}, p95 ${policy.inference_p95_ms.toFixed(0)} ms` : "";
    setText(find("chunk-infer"), last ? `${last.infer_ms.toFixed(0)} ms${usual ? ` (${usual})` : ""}` : "–");
    setText(find("chunk-late"), last ? `${last.late_rows} of ${last.rows} actions` : "–");
    this.draw(find("chunks"), chunks);
  }

  draw(canvas, chunks) {
    const { context, width, height } = fitted(canvas);
    if (!width) return;
    context.font = "12px system-ui";
    if (!chunks.length) { context.fillStyle = colour("faint"); context.fillText("no chunk yet", 10, 22); return; }
    const end = Math.max(...chunks.map((c) => c.at_s + (c.rows * c.tick_ms) / 1000));
    const start = Math.min(end - LEAST_SPAN_S, Math.max(chunks[0].at_s, end - 10));
    const x = (s) => ((s - start) / (end - start)) * width;
    const lane = (height - 20) / LANES;
    context.fillStyle = colour("faint");
    for (let s = Math.ceil(start); s <= end; s++) { context.fillRect(x(s), height - 16, 1, 4); }
    context.fillText("1 s per mark", 6, height - 3);
    for (const chunk of chunks) {
      const y = 4 + (chunk.n % LANES) * lane;
      const ready = chunk.at_s + chunk.old_ms / 1000;
      context.globalAlpha = 0.35;
      context.fillStyle = colour("pose");
      context.fillRect(x(ready), y, x(chunk.at_s + (chunk.rows * chunk.tick_ms) / 1000) - x(ready), lane - 4);
      context.globalAlpha = 1;
      context.fillStyle = chunk.late_rows ? colour("fault") : colour("faint");
      context.fillRect(x(chunk.at_s), y + lane / 3, Math.max(1, x(ready) - x(chunk.at_s)), lane / 3 - 2);
      context.fillStyle = colour("goal");
      context.fillRect(x(ready), y - 2, 2, lane);
    }
  }
}
