// Finds a thing by what people call it, however large the machine: an address, a frame, a page of a file or of swap.
import { element } from "page/dom.js";

const HELP = "Find by address (0x406000, or 21 0x406000 for PID 21), frame (PP3), file and page (mypgm 6), swap page (swap 6) or process (PID 21).";

/** @typedef {{processes: {pid: number, path: string}[], objects: {object: number, path: string}[]}} Choices */

/**
 * The token of what these words mean; null: nothing. @param {string} words
 * @param {number} pid the process that addresses are of @param {Choices} choices @returns {string | null}
 */
export function tokenOf(words, pid, choices) {
  const text = words.trim();
  const address = /^(?:(?:pid\s*)?(\d+)\s+)?0x([0-9a-f]{1,16})$/i.exec(text);
  if (address) return `v${address[1] ?? pid}:${(BigInt(`0x${address[2]}`) >> 12n).toString(16)}`;
  const simple = /^(pp|frame|swap|pid|process)\s*(\d+)$/i.exec(text);
  if (simple) return { pp: "f", frame: "f", swap: "s", pid: "p", process: "p" }[simple[1].toLowerCase()] + simple[2];
  const file = /^(\S.*?)(?:\s+(\d+))?$/.exec(text);
  if (!file) return null;
  const found = choices.objects.find(({ path }) => path === file[1] || path.endsWith(`/${file[1]}`)) ??
    choices.objects.find(({ path }) => path.includes(file[1]));
  return found ? `o${found.object}:${file[2] ?? 0}` : null;
}

export class Find {
  /** @param {(words: string) => Promise<string | null>} find what to do; what is wrong, or null */
  constructor(find) {
    this.input = /** @type {HTMLInputElement} */ (element("find"));
    this.input.title = HELP;
    element("find-form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const wrong = this.input.value.trim() ? await find(this.input.value) : HELP;
      this.input.setCustomValidity(wrong ?? "");
      this.input.reportValidity();
    });
    this.input.addEventListener("input", () => this.input.setCustomValidity(""));
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.input.blur();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || document.activeElement instanceof HTMLInputElement) return;
      event.preventDefault();
      this.input.focus();
    });
  }
}
