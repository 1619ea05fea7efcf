// Tabs, as WAI-ARIA describes them: arrow keys move, Tab leaves.

export class Tabs {
  /** @param {(name: string) => void} show called when another one is chosen */
  constructor(show) {
    this.show = show;
    this.tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#tabs [role="tab"]')]);
    this.current = "events";
    for (const tab of this.tabs)
      tab.addEventListener("click", (event) => {
        this.choose(tab);
        if (event.detail) tab.blur(); // clicked, not typed: the arrow keys go on to step
      });
    document.getElementById("tabs")?.addEventListener("keydown", (event) => this.move(event));
  }

  /** @param {KeyboardEvent} event */
  move(event) {
    const at = this.tabs.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || !by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = this.tabs[(at + by + this.tabs.length) % this.tabs.length];
    next.focus();
    this.choose(next);
  }

  /** @param {HTMLElement} chosen */
  choose(chosen) {
    for (const tab of this.tabs) {
      const name = tab.getAttribute("aria-controls") ?? "";
      const selected = tab === chosen;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      /** @type {HTMLElement} */ (document.getElementById(name)).hidden = !selected;
      if (selected) this.current = name;
    }
    this.show(this.current);
  }
}
