// The page: opens the run, connects its parts, and goes where the keys say.
import { Core, Key, Result } from "page/core.js";
import { Address } from "page/address.js";
import { Controls } from "page/controls.js";
import { Details } from "page/details.js";
import { Divider } from "page/divider.js";
import { Export } from "page/export.js";
import { Find, tokenOf } from "page/find.js";
import { FaultChart, ResidentChart } from "page/chart.js";
import { Picture } from "page/picture.js";
import { Question } from "page/question.js";
import { Replay } from "page/replay.js";
import { Rows } from "page/rows.js";
import { Run } from "page/run.js";
import { Server, takeToken } from "page/server.js";
import { Settings } from "page/settings.js";
import { Tabs } from "page/tabs.js";
import { Terminal } from "page/terminal.js";
import { Timeline } from "page/timeline.js";
import { element } from "page/dom.js";

/** @typedef {import("page/status.js").Status} Status */

class Page {
  /** @param {Run} run @param {any} source a Replay or a Server */
  constructor(run, source) {
    this.run = run;
    this.source = source;
    this.state = source.info.state;
    /** @type {Status | null} */
    this.status = null;
    this.pictures = this.shown = 0; /* how many were drawn, and how often all the rest: for tests */
    this.address = new Address((n) => this.go(n));
    this.picture = new Picture((token, pinned) => this.pointAt(token, pinned));
    this.details = new Details((token) => this.picture.pin(token));
    this.question = new Question((line) => this.walked(this.run.answer(line)));
    this.controls = new Controls((key) => this.key(key));
    this.export = new Export(run, () => this.status);
    this.settings = new Settings((palette, projector) => this.restyle(palette, projector));
    this.timeline = new Timeline((n) => this.go(n));
    this.terminal = new Terminal(source);
    this.rows = new Rows(run, (n) => this.go(n), (text) => this.say(text));
    this.charts = [new FaultChart((n) => this.go(n)), new ResidentChart((n) => this.go(n))];
    this.tabs = new Tabs((name) => this.showTab(name));
    new Divider();
    new Find((words) => this.find(words));
    element("title").textContent = source.info.title;
    document.title = `${source.info.title} – Thimble`;
  }

  /** @param {unknown} error */
  fail(error) {
    const text = error instanceof Error ? error.message : String(error);
    this.say(this.state === "lost" ? "The connection is lost; trying again." : text);
  }

  say(/** @type {string} */ text) {
    element("message").textContent = text;
  }

  // ---- walking ----

  key(/** @type {number} */ key) {
    return this.walked(this.run.key(key));
  }

  go(/** @type {number} */ n) {
    return this.walked(this.run.go(n));
  }

  /** Does what a step of the walker has led to. @param {Promise<number>} step */
  async walked(step) {
    try {
      const result = await step;
      if (result === Result.NOTHING) return;
      if (result === Result.EXPORT) this.export.open();
      else if (result === Result.HELP) await this.help();
      else if (result !== Result.QUIT) await this.refresh();
      await this.steer(result);
    } catch (error) {
      this.fail(error);
    }
  }

  /** What the live machine must do now. @param {number} result */
  async steer(result) {
    if (result === Result.RUN) await this.source.control("run", this.status?.goal);
    if (result === Result.CONTINUE) await this.source.control("continue");
    if (result === Result.PAUSE) await this.source.control("pause");
  }

  async help() {
    element("help-text").textContent = await this.run.help();
    /** @type {HTMLDialogElement} */ (element("help")).showModal();
  }

  // ---- showing ----

  /** Shows where the walker stands. */
  async refresh() {
    const status = /** @type {Status} */ (await this.run.status());
    const svg = await this.run.svg();
    this.status = status;
    this.picture.show(svg, status.narration);
    element("narration").textContent = status.narration || "Before the first event.";
    this.say(status.message || this.warning(status));
    element("advice").textContent = status.advice ?? "";
    element("advice").hidden = !status.advice;
    this.question.show(status.question);
    this.showPlace(status);
    this.address.show(status.position);
    this.timeline.place(status.position, status.events);
    this.controls.show(status, this.state);
    document.documentElement.dataset.pictures = String(++this.pictures);
    await this.showTab(this.tabs.current);
    await this.showDetails(this.picture.token);
    document.documentElement.dataset.shown = String(++this.shown);
  }

  /** What is wrong with the recording up to here. @param {Status} status */
  warning(status) {
    if (status.complaints)
      return `This run contradicts itself: event ${status.first_complaint} cannot follow those before it.`;
    if (status.cut && status.position + 1 >= status.events)
      return `The recording was cut: it ends at event ${status.events}, though the run went on.`;
    return "";
  }

  showPlace(/** @type {Status} */ status) {
    const number = new Intl.NumberFormat("en");
    element("place").textContent = `event ${number.format(status.position)} of ${number.format(status.events)}` +
      (status.instruction === undefined ? "" : ` · ${number.format(status.instruction)} instructions`);
    const score = element("score");
    score.hidden = !status.asked;
    score.textContent = `${status.right} of ${status.asked} right`;
  }

  showState() {
    const words = { running: "running", paused: "paused", ended: "ended", recorded: "recorded", lost: "connection lost" };
    const badge = element("state");
    badge.textContent = words[/** @type {keyof typeof words} */ (this.state)] ?? this.state;
    badge.dataset.state = this.state;
    this.terminal.setLive(this.state === "running" || this.state === "paused");
    if (this.status) this.controls.show(this.status, this.state);
  }

  /** Only what is in sight is brought up to date. @param {string} name */
  async showTab(name) {
    const status = this.status;
    if (!status) return;
    try {
      if (name === "events") await this.rows.show(status);
      if (name === "terminal") await this.terminal.show(this.run, status);
      for (const chart of this.charts) chart.place(status.position);
    } catch (error) {
      this.fail(error);
    }
  }

  async showHistory() {
    const history = await this.run.history();
    this.timeline.show(history);
    for (const chart of this.charts) chart.show(history);
  }

  // ---- pointing ----

  /** @param {string | null} token @param {boolean} pinned */
  async pointAt(token, pinned) {
    if (pinned && token && this.question.takes(token)) return;
    await this.showDetails(token);
  }

  /** Points at what these words mean; says what is wrong, or null. @param {string} words @returns {Promise<string | null>} */
  async find(words) {
    const choices = await this.run.choices();
    const token = tokenOf(words, this.status?.pid || choices.processes[0]?.pid || 0, choices);
    if (!token || !(await this.run.details(token))) return `Nothing here is called ${words.trim()}.`;
    this.picture.pin(token);
    return null;
  }

  async showDetails(/** @type {string | null} */ token) {
    this.details.show(await this.run.details(token ?? "m"), token, this.picture.pinned !== null);
  }

  async restyle(/** @type {number} */ palette, /** @type {boolean} */ projector) {
    await this.run.setOptions(palette, projector);
    if (this.status) await this.refresh();
  }

  // ---- a live machine ----

  /** @param {{events: number, state: string} | null} news */
  async hear(news) {
    const lost = this.state === "lost";
    this.state = news ? news.state : "lost";
    this.showState();
    if (!news) return;
    if (lost) this.say("Connected again.");
    await this.run.setLength(news.events, news.state === "ended", this.source.info.cut);
    const result = await this.run.arrived();
    if (result !== Result.NOTHING || !this.status) await this.refresh();
    else this.timeline.place(this.status.position, news.events);
    this.historySoon();
  }

  /** The charts of a run that grows need not be newer than half a second. */
  historySoon() {
    this.historyTimer ??= setTimeout(async () => {
      this.historyTimer = undefined;
      await this.showHistory().catch((error) => this.fail(error));
    }, 500);
  }

  /** News that come while earlier ones are being shown wait, and only the last of them counts. */
  listen() {
    /** @type {{events: number, state: string} | null | undefined} */
    let waiting;
    let busy = false;
    this.source.listen(async (/** @type {any} */ news) => {
      waiting = news;
      if (busy) return;
      busy = true;
      while (waiting !== undefined) {
        const next = waiting;
        waiting = undefined;
        await this.hear(next).catch((error) => this.fail(error));
      }
      busy = false;
    });
  }

  // ---- beginning ----

  async begin() {
    const info = this.source.info;
    await this.run.setLength(info.events, info.finished, info.cut);
    await this.settings.apply();
    const step = this.address.step() ?? info.start;
    await this.walked(step ? this.run.go(step) : info.live ? this.run.key(Key.END) : this.run.begin());
    if (info.state === "running") await this.run.key("c".charCodeAt(0)); // it runs already: follow it
    if (!this.status) await this.refresh();
    this.showState();
    if (info.cut) this.say(`The recording was cut: it ends at event ${info.events}, though the run went on.`);
    await this.rows.showChoices();
    await this.showHistory();
    if (info.live) this.listen();
  }
}

async function main() {
  takeToken();
  const replay = Replay.isHere();
  const source = replay ? await Replay.open() : await Server.open();
  const core = await Core.create(await (replay ? Replay.wasm() : Server.wasm()), source.info);
  const run = new Run(core, source);
  if (source instanceof Replay) await source.load(core);
  const page = new Page(run, source);
  await page.begin();
  if (source instanceof Replay) source.prepare(run);
  document.documentElement.dataset.ready = "yes";
}

main().catch((error) => {
  element("narration").textContent = `This run cannot be shown: ${error.message}`;
  element("state").textContent = "failed";
});
