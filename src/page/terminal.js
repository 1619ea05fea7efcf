// The programs' terminal: what they wrote up to the step that is shown. Where the run is live and its end is
// shown, the terminal itself, echo included; there, what is typed goes to the program.
import { element } from "page/dom.js";

/** The text without what moves a real terminal's cursor or changes its colours. @param {string} output */
function plain(output) {
  return output
    .replace(/\x1b\][^\x07\x1b]*(\x07|\x1b\\)?/g, "")
    .replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, "")
    .replace(/\x1b[@-Z\\^_=>]/g, "")
    .replace(/\r+\n/g, "\n")
    .replace(/[^\n]*\r(?=[^\n])/g, "")
    .replace(/[^\n\x08]\x08/g, "")
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "");
}

export class Terminal {
  /** @param {any} source */
  constructor(source) {
    this.source = source;
    this.live = false;
    this.pane = element("output");
    this.form = element("input");
    this.typed = /** @type {HTMLInputElement} */ (element("typed"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(`${this.typed.value}\n`);
      this.typed.value = "";
    });
    element("end-of-input").addEventListener("click", () => this.send("\x04"));
  }

  setLive(/** @type {boolean} */ live) {
    this.live = live && this.source.info.live;
    this.form.hidden = !this.live;
  }

  async send(/** @type {string} */ typed) {
    try {
      await this.source.type(typed);
    } catch (error) {
      element("message").textContent = error instanceof Error ? error.message : String(error);
    }
  }

  /** @param {import("page/run.js").Run} run @param {import("page/status.js").Status} status */
  async show(run, status) {
    const atEnd = this.source.info.live && status.position + 64 > status.events;
    const text = plain(await (atEnd ? this.source.output() : run.output()));
    if (text === this.text) return;
    this.text = text;
    this.pane.textContent = text || "(nothing written yet)";
    this.pane.scrollTop = this.pane.scrollHeight;
  }
}
