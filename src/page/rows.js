// The list of steps around the one that is shown, and the filter that list and keys go by.
import { element, make } from "page/dom.js";

const BEFORE = 12, AFTER = 40;

export class Rows {
  /**
   * @param {import("page/run.js").Run} run @param {(n: number) => void} go @param {(text: string) => void} say
   */
  constructor(run, go, say) {
    this.run = run;
    this.say = say;
    this.list = element("rows");
    this.filters = ["filter-pid", "filter-kind", "filter-object"].map((id) => /** @type {HTMLSelectElement} */ (element(id)));
    this.list.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest("[data-n]") : null;
      if (row) go(Number(row.getAttribute("data-n")));
    });
    element("filter").addEventListener("change", () => this.filterChanged());
    element("filter").addEventListener("reset", () => setTimeout(() => this.filterChanged()));
    for (const select of this.filters) select.addEventListener("focus", () => this.showChoices());
  }

  async filterChanged() {
    const [pid, kind, object] = this.filters.map((select) => Number(select.value));
    await this.run.setFilter(pid, kind, object);
    this.shown = undefined;
    if (this.status) await this.show(this.status).catch((error) => this.say(error.message));
  }

  /** Fills the filter with what there is by now. */
  async showChoices() {
    const choices = await this.run.choices();
    const lists = [
      ["every process", choices.processes.map((/** @type {any} */ process) => [process.pid, `PID ${process.pid} ${process.path.split("/").pop()}`])],
      ["every kind", choices.kinds.map((/** @type {any} */ kind) => [kind.kind, kind.name.replaceAll("_", " ")])],
      ["every file", choices.objects.map((/** @type {any} */ object) => [object.object, object.path.split("/").pop() || "(no name)"])],
    ];
    this.filters.forEach((select, index) => {
      const [all, options] = lists[index];
      if (select.options.length === options.length + 1) return;
      const chosen = select.value;
      select.replaceChildren(make("option", { value: 0 }, all), ...options.map(([value, name]) => make("option", { value }, name)));
      select.value = chosen || "0";
    });
  }

  /** Shows the steps around where the walker stands. @param {import("page/status.js").Status} status */
  async show(status) {
    this.status = status;
    const here = this.list.querySelector(`[data-n="${status.position}"]`);
    if (here && this.shown === status.events && !this.isNearEnd(here)) {
      this.mark(status);
      return;
    }
    const before = await this.run.rows(status.position + 1, true, BEFORE);
    const after = await this.run.rows(status.position, false, AFTER);
    this.shown = status.events;
    this.list.replaceChildren(...[...before, ...after].map((row) => this.row(row)));
    this.mark(status);
  }

  /** @param {Element} row */
  isNearEnd(row) {
    return !row.nextElementSibling || !row.previousElementSibling;
  }

  /** @param {any} row */
  row(row) {
    return make("li", { "data-n": row.n, "data-kind": row.kind },
      make("span", { class: "n" }, String(row.n)),
      make("span", { class: "kind" }, row.kind.replaceAll("_", " ")),
      make("span", { class: "text" }, row.text));
  }

  /** Marks the step that is shown; while a prediction is asked for, what comes is not given away. */
  mark(/** @type {import("page/status.js").Status} */ status) {
    for (const row of this.list.children) {
      const n = Number(row.getAttribute("data-n"));
      row.classList.toggle("later", n > status.position);
      if (n === status.position) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    }
    this.list.classList.toggle("secret", status.question !== "");
    this.list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }
}
