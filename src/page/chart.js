// Charts over the run, from its samples (page/history.h): lines with their names, a mark at the step that is shown,
// values there in words. Clicking goes to a step.
import { element, make, makeSvg } from "page/dom.js";
import { DASHES, PROCESS_COLOURS, faultKind } from "page/kinds.js";

const WIDTH = 400, HEIGHT = 160, LEFT = 40, RIGHT = 8, TOP = 10, BOTTOM = 24;

/** A round number at or above this. @param {number} value */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= value) ?? value;
}

/** @param {number} value */
function short(value) {
  return new Intl.NumberFormat("en", { notation: "compact" }).format(value);
}

/** @typedef {{name: string, colour: string, dash: string, values: number[]}} Line */

class Chart {
  /** @param {string} id @param {string} title @param {(n: number) => void} go */
  constructor(id, title, go) {
    this.pane = element(id);
    this.title = title;
    this.position = 0;
    /** @type {Line[]} */
    this.lines = [];
    /** @type {number[]} */
    this.n = [];
    this.pane.addEventListener("click", (event) => {
      const plot = this.pane.querySelector("svg")?.getBoundingClientRect();
      if (!plot || event.clientY > plot.bottom) return;
      const x = ((event.clientX - plot.left) / plot.width) * WIDTH;
      const part = (x - LEFT) / (WIDTH - LEFT - RIGHT);
      if (part >= 0 && part <= 1) go(Math.round(part * (this.n.at(-1) ?? 0)));
    });
  }

  x(/** @type {number} */ n) {
    return LEFT + (n / (this.n.at(-1) || 1)) * (WIDTH - LEFT - RIGHT);
  }
  y(/** @type {number} */ value) {
    return HEIGHT - BOTTOM - (value / this.top) * (HEIGHT - TOP - BOTTOM);
  }

  /** The last sample at or before this event; -1: none. */
  sampleAt(/** @type {number} */ n) {
    let low = 0, high = this.n.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.n[middle] <= n) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** @param {number[]} n @param {Line[]} lines */
  draw(n, lines) {
    this.n = n;
    this.lines = lines;
    this.top = roundUp(Math.max(1, ...lines.flatMap((line) => line.values.reduce((most, value) => Math.max(most, value), 0))));
    const svg = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
    for (const part of [0, 0.5, 1]) {
      const y = this.y(part * this.top);
      svg.append(makeSvg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
        makeSvg("text", { x: LEFT - 5, y: y + 3.5, "text-anchor": "end" }, short(part * this.top)));
    }
    for (const [part, anchor] of /** @type {[number, string][]} */ ([[0, "start"], [1, "end"]])) {
      const last = (this.n.at(-1) ?? 0) * part;
      svg.append(makeSvg("text", { x: this.x(last), y: HEIGHT - 7, "text-anchor": anchor }, part ? `event ${short(last)}` : "0"));
    }
    for (const line of lines) svg.append(this.path(line));
    this.cursor = makeSvg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM });
    svg.append(this.cursor);
    this.legend = make("div", { class: "legend" });
    this.pane.replaceChildren(svg, this.legend);
    this.place(this.position);
  }

  /** @param {Line} line */
  path(line) {
    let path = `M${this.x(0).toFixed(1)} ${this.y(0).toFixed(1)}`;
    line.values.forEach((value, i) => {
      path += `H${this.x(this.n[i]).toFixed(1)}V${this.y(value).toFixed(1)}`;
    });
    return makeSvg("path", { d: path, fill: "none", stroke: line.colour, "stroke-width": 1.6, "stroke-dasharray": line.dash });
  }

  /** Marks the step that is shown. */
  place(/** @type {number} */ position) {
    this.position = position;
    if (!this.cursor || this.pane.hidden) return;
    const x = this.x(Math.min(position, this.n.at(-1) ?? 0));
    this.cursor.setAttribute("x1", String(x));
    this.cursor.setAttribute("x2", String(x));
    const at = this.sampleAt(position);
    this.legend?.replaceChildren(make("p", {}, `${this.title}, at event ${at < 0 ? 0 : this.n[at]}:`),
      make("ul", {}, ...this.lines.map((line) =>
        make("li", {}, this.key(line), `${line.name} `, make("b", {}, String(at < 0 ? 0 : line.values[at]))))));
  }

  /** @param {Line} line */
  key(line) {
    return makeSvg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" },
      makeSvg("line", { x1: 0, x2: 24, y1: 4, y2: 4, stroke: line.colour, "stroke-width": 2.5, "stroke-dasharray": line.dash }));
  }
}

export class FaultChart extends Chart {
  constructor(/** @type {(n: number) => void} */ go) {
    super("faults", "Faults so far", go);
  }

  show(/** @type {any} */ history) {
    const lines = history.kinds.map((/** @type {string} */ kind, /** @type {number} */ i) => {
      const { word, colour, dash } = faultKind(kind);
      return { name: word, colour, dash, values: history.faults[i] };
    });
    this.draw(history.n, lines.filter((/** @type {Line} */ line) => line.values.at(-1)));
  }
}

export class ResidentChart extends Chart {
  constructor(/** @type {(n: number) => void} */ go) {
    super("resident", "Pages in memory", go);
  }

  show(/** @type {any} */ history) {
    this.draw(history.n, history.pids.map((/** @type {number} */ pid, /** @type {number} */ i) => ({
      name: pid ? `PID ${pid}` : "other processes", colour: PROCESS_COLOURS[i % PROCESS_COLOURS.length],
      dash: DASHES[i % DASHES.length], values: history.resident[i],
    })));
  }
}
