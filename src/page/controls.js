// The keys: shown as buttons, obeyed wherever the focus is.
import { Key } from "page/core.js";
import { element, make } from "page/dom.js";

/** @type {[key: number | string, cap: string, word: string][]} */
const BUTTONS = [
  [Key.LEFT, "←", "back"], [Key.RIGHT, "→", "step"], ["n", "n", "next fault"], ["N", "N", "next in filter"],
  ["c", "c", "continue"], ["g", "g", "go to"], ["p", "p", "predict"], ["l", "l", "labels"], ["e", "e", "export"], ["?", "?", "help"],
];

/** @type {Record<string, number>} */
const NAMED = { ArrowRight: Key.RIGHT, ArrowLeft: Key.LEFT, Home: Key.HOME, End: Key.END, Escape: Key.ESCAPE };

/** Keys that belong to the page and not to the walker. */
const OURS = new Set(["f", "q"]);

/** Where typed characters are text or choose something. @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && Boolean(target.closest("input:not([type=range]), textarea, select, dialog[open]"));
}

export class Controls {
  /** @param {(key: number) => Promise<void>} press */
  constructor(press) {
    this.press = press;
    this.busy = false;
    this.buttons = new Map(BUTTONS.map(([key, cap, word]) => [key, this.button(key, cap, word)]));
    element("controls").append(...this.buttons.values());
    document.addEventListener("keydown", (event) => this.typed(event));
  }

  button(/** @type {number | string} */ key, /** @type {string} */ cap, /** @type {string} */ word) {
    const button = make("button", { type: "button" }, make("kbd", {}, cap), make("span", {}, word));
    button.addEventListener("click", () => this.give(key));
    return button;
  }

  /** A key that repeats faster than steps can be shown is not queued up. */
  async give(/** @type {number | string} */ key) {
    if (this.busy) return;
    this.busy = true;
    try {
      await this.press(typeof key === "number" ? key : key.charCodeAt(0));
    } finally {
      this.busy = false;
    }
  }

  /** @param {KeyboardEvent} event */
  typed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    const key = NAMED[event.key] ?? (event.key.length === 1 ? event.key : undefined);
    if (key === undefined) return;
    if (key === "f") {
      event.preventDefault();
      document.getElementById("tab-events")?.click();
      element("filter-pid").focus();
      return;
    }
    if (typeof key === "string" && (OURS.has(key) || !"snNcgple?".includes(key))) return;
    event.preventDefault();
    this.give(key);
  }

  /** @param {import("page/status.js").Status} status @param {string} state of the machine */
  show(status, state) {
    const word = state === "running" ? "pause" : "continue";
    const label = this.buttons.get("c")?.querySelector("span");
    if (label) label.textContent = state === "recorded" || state === "ended" ? "to the end" : word;
    this.buttons.get(Key.LEFT)?.toggleAttribute("disabled", status.position === 0);
  }
}
