// A line that the walker asks for: which step, which filter, which frame will be the victim.
import { element } from "page/dom.js";

export class Question {
  /** @param {(line: string | null) => void} answer */
  constructor(answer) {
    this.form = element("question");
    this.input = /** @type {HTMLInputElement} */ (element("answer"));
    this.answer = answer;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.give(this.input.value);
    });
    element("no-answer").addEventListener("click", () => this.give(null));
    this.input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.give(null);
    });
  }

  /** @param {string | null} line */
  give(line) {
    this.text = undefined;
    this.input.value = "";
    this.answer(line);
  }

  /** @param {string} text "": nothing is asked */
  show(text) {
    const isNew = text !== "" && text !== this.text;
    this.text = text;
    this.form.hidden = !text;
    document.documentElement.classList.toggle("asking", Boolean(text));
    if (!text) return;
    element("question-text").textContent = text;
    if (isNew) this.input.focus();
  }

  /** A frame that is clicked while a frame is asked for is the answer. @param {string} token */
  takes(token) {
    if (!this.text || !/frame|victim/i.test(this.text) || !/^f\d+$/.test(token)) return false;
    this.give(token.slice(1));
    return true;
  }
}
