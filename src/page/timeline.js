// The run from left to right: a lane of ticks for each kind of fault, and the scrubber.
import { element, make } from "page/dom.js";
import { faultKind } from "page/kinds.js";

const LANE = 13, LEAST = 30; /* pixels of height */

export class Timeline {
  /** @param {(n: number) => Promise<void> | void} go */
  constructor(go) {
    this.go = go;
    this.canvas = /** @type {HTMLCanvasElement} */ (element("ticks"));
    this.lanes = element("lanes");
    this.scrubber = /** @type {HTMLInputElement} */ (element("scrubber"));
    this.scrubber.addEventListener("input", () => this.scrub());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Dragging asks for more steps than can be shown: only the last one counts. */
  async scrub() {
    this.wanted = Number(this.scrubber.value);
    if (this.scrubbing) return;
    this.scrubbing = true;
    while (this.wanted !== undefined) {
      const n = this.wanted;
      this.wanted = undefined;
      await this.go(n);
    }
    this.scrubbing = false;
  }

  /** @param {number} position @param {number} events */
  place(position, events) {
    this.scrubber.max = String(events);
    if (!this.scrubbing) this.scrubber.value = String(position);
    this.scrubber.setAttribute("aria-valuetext", `event ${position} of ${events}`);
  }

  /** @param {any} history */
  show(history) {
    this.history = history;
    this.draw();
  }

  /** The kinds of faults that there were. @returns {{values: number[], word: string, colour: string}[]} */
  used() {
    const { kinds, faults } = this.history;
    return kinds.map((/** @type {string} */ kind, /** @type {number} */ i) => ({ values: faults[i], ...faultKind(kind) }))
      .filter((/** @type {{values: number[]}} */ lane) => lane.values.at(-1));
  }

  draw() {
    const lanes = this.history ? this.used() : [];
    document.documentElement.style.setProperty("--ticks", `${Math.max(LEAST, 2 + lanes.length * LANE)}px`);
    const context = this.canvas.getContext("2d");
    if (!this.history || !context) return;
    const { width, height } = this.canvas.getBoundingClientRect();
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(width * scale));
    this.canvas.height = Math.max(1, Math.round(height * scale));
    context.scale(scale, scale);
    const lane = height / Math.max(1, lanes.length);
    this.lanes.replaceChildren(...lanes.map(({ word, values }) =>
      make("span", {}, word, make("b", {}, String(values.at(-1))))));
    lanes.forEach((each, i) => this.drawLane(context, each, i * lane, Math.max(2, lane - 2), width));
  }

  /**
   * A tick where the count grows; where many fall on a pixel, a higher one.
   * @param {CanvasRenderingContext2D} context @param {{values: number[], colour: string}} lane
   */
  drawLane(context, lane, /** @type {number} */ top, /** @type {number} */ height, /** @type {number} */ width) {
    const { n } = this.history;
    const last = n.at(-1) || 1;
    const counts = new Array(Math.max(1, Math.round(width))).fill(0);
    lane.values.forEach((value, i) => {
      const added = value - (i ? lane.values[i - 1] : 0);
      if (added) counts[Math.min(counts.length - 1, Math.floor((n[i] / last) * counts.length))] += added;
    });
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    context.fillStyle = lane.colour;
    counts.forEach((count, x) => {
      if (!count) return;
      const tall = Math.max(2, height * (0.45 + 0.55 * (count / most)));
      context.fillRect(x, top + height - tall, 1.5, tall);
    });
  }
}
