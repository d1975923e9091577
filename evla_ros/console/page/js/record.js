// SPDX-FileCopyrightText: 2026 The evla_ros authors
// SPDX-License-Identifier: Apache-2.0
// The recorder: start, keep, discard, marks; what it says; the dataset button.
import { fill, find, make, onceMore, setChip, setText } from "./dom.js";
import { say } from "./run.js";

const STEPS = { idle: "", starting: "starting", convert: "converting", doctor: "examining", done: "done", error: "failed", ended: "ended" };

export class Record {
  constructor(link, changed) {
    this.link = link;
    this.changed = changed;
    this.kept = null;
    const commands = { "rec-start": "record", "rec-keep": "keep", "rec-success": "success", "rec-failure": "failure", "rec-intervention": "intervention" };
    for (const [id, what] of Object.entries(commands)) find(id).addEventListener("click", () => this.command(what));
    onceMore(find("rec-discard"), () => this.command("discard"));
    find("convert").addEventListener("click", () => this.command("dataset"));
    find("convert-end").addEventListener("click", () => this.command("dataset_end"));
  }

  async command(what) {
    const answer = await this.link.command(what);
    say(answer.text.split("\n")[0], answer.ok);
    if (["keep", "discard", "success", "failure"].includes(what)) this.changed();
  }

  show(state) {
    const recorder = state.recorder, controls = state.you.controls;
    const recording = Boolean(recorder && recorder.episode_id);
    const word = !recorder ? "no recorder" : recorder.silent ? "silent" : recorder.recorder_state;
    setChip(find("rec-state"), recording ? "● recording" : word, recording ? "bad" : recorder && !recorder.silent ? "good" : "wait");
    find("rec-start").disabled = !controls || !recorder || recording;
    for (const id of ["rec-keep", "rec-discard", "rec-intervention"]) find(id).disabled = !controls || !recording;
    find("rec-intervention").setAttribute("aria-pressed", String(Boolean(recorder && recorder.intervention)));
    const seconds = recorder ? recorder.duration_s : 0;
    setText(find("rec-time"), `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`);
    const outcome = recording && recorder.outcome !== "unknown" ? `, ${recorder.outcome}` : "";
    setText(find("rec-count"), recorder ? `${recorder.messages} messages, ${recorder.lost} lost${outcome}` : "");
    const minutes = recorder && recorder.minutes_left !== null ? `disk for ${Math.floor(recorder.minutes_left)} min at this rate` : "disk: rate not known yet";
    setText(find("rec-disk"), recorder ? `${minutes}; ${recorder.episodes_kept} kept since it was started` : "Start one with `evla run recorder`.");
    const text = recorder ? recorder.text.split("\n")[0] : "";
    setText(find("rec-text"), state.reports.some((report) => report.startsWith(text)) ? "" : text);
    fill(find("reports"), state.reports, () => state.reports.map((text) => make("li", {}, text)));
    if (recorder && recorder.episodes_kept !== this.kept) { this.kept = recorder.episodes_kept; this.changed(); }
    this.job(state.job, controls);
  }

  job(job, controls) {
    const running = ["starting", "convert", "doctor"].includes(job.step);
    find("convert").disabled = !controls || running;
    find("convert-end").hidden = !running;
    const bar = find("convert-bar");
    bar.hidden = !running;
    if (job.total) bar.value = job.done / job.total;
    let text = STEPS[job.step] || "";
    if (running && job.total) text += `: ${job.done} of ${job.total} ${job.step === "doctor" ? "checked" : "episodes"}`;
    if (job.step === "done") text = `${job.dataset}: ${job.kept} of ${job.bags} episodes, ${job.error} errors, ${job.warning} warnings`;
    if (job.step === "error") text = `failed: ${job.text}`;
    setText(find("convert-text"), text);
    const rows = job.step === "done" ? [...job.dropped.map((line) => `left out: ${line}`), ...job.findings] : [];
    fill(find("findings"), rows, () => rows.map((line) => make("li", {}, line)));
  }
}
