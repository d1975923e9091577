// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// Goal and measured position: two small plots with the workspace box, and the numbers beside them.
import { colour, fill, find, fitted, make } from "./dom.js";

const TRAIL = 60;
const OLD_S = 2.0;

export class Motion {
  constructor() { this.trails = new Map(); this.robot = null; }

  setRobot(robot) { this.robot = robot; }

  show(state) {
    if (!this.robot) return;
    for (const arm of state.arms) {
      const trail = this.trails.get(arm.name) || [];
      if (arm.pose && arm.pose_age_s < OLD_S) trail.push(arm.pose);
      this.trails.set(arm.name, trail.slice(-TRAIL));
    }
    this.plot(find("plot-top"), state.arms, (p) => [-p[1], p[0]]);
    this.plot(find("plot-side"), state.arms, (p) => [p[0], p[2]]);
    const rows = state.arms.map((arm) => this.row(arm));
    fill(find("arm-rows"), rows, () => rows.map((text) => make("li", {}, text)));
  }

  row(arm) {
    const shown = (p) => p.map((value) => value.toFixed(3)).join(" ");
    if (!arm.pose) return `${arm.name}: no pose yet`;
    const old = arm.pose_age_s > OLD_S ? ` (⚠ ${arm.pose_age_s.toFixed(0)} s old)` : "";
    const goal = arm.goal && arm.goal_age_s < OLD_S ? `goal ${shown(arm.goal)}, ${Math.round(1000 * Math.hypot(...arm.pose.map((v, i) => v - arm.goal[i])))} mm away` : "no goal";
    return `${arm.name}: ${shown(arm.pose)} m${old}; ${goal}`;
  }

  plot(canvas, arms, flat) {
    const { context, width, height } = fitted(canvas);
    const corners = this.robot.arms.flatMap((arm) => arm.box_m).map(flat);
    const points = [...corners, ...arms.filter((arm) => arm.pose).map((arm) => flat(arm.pose))];
    const low = [0, 1].map((i) => Math.min(...points.map((p) => p[i])) - 0.05);
    const high = [0, 1].map((i) => Math.max(...points.map((p) => p[i])) + 0.05);
    const scale = Math.min(width / (high[0] - low[0]), height / (high[1] - low[1]));
    const at = (p) => [width / 2 + (p[0] - (low[0] + high[0]) / 2) * scale, height / 2 - (p[1] - (low[1] + high[1]) / 2) * scale];
    this.robot.arms.forEach((arm) => this.box(context, arm.box_m.map(flat).map(at)));
    arms.forEach((arm) => this.arm(context, arm, (p) => at(flat(p)), arms.length > 1));
  }

  box(context, [a, b]) {
    context.strokeStyle = colour("faint");
    context.setLineDash([4, 4]);
    context.strokeRect(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1]));
    context.setLineDash([]);
  }

  arm(context, arm, at, named) {
    context.strokeStyle = context.fillStyle = colour("pose");
    context.globalAlpha = 0.45;
    context.beginPath();
    for (const point of this.trails.get(arm.name) || []) context.lineTo(...at(point));
    context.stroke();
    context.globalAlpha = 1;
    if (arm.pose) {
      const [x, y] = at(arm.pose);
      context.beginPath();
      context.arc(x, y, 5, 0, 7);
      context.fill();
      if (named) { context.font = "12px system-ui"; context.fillText(arm.name, x + 8, y - 6); }
    }
    if (arm.goal && arm.goal_age_s < OLD_S) {
      const [x, y] = at(arm.goal);
      context.strokeStyle = colour("goal");
      context.lineWidth = 2;
      context.strokeRect(x - 7, y - 7, 14, 14);
      context.lineWidth = 1;
    }
  }
}
