// How the picture looks: palette and projector mode. Kept in this browser.
import { element } from "page/dom.js";

const KEPT = "thimble-look";

export class Settings {
  /** @param {(palette: number, projector: boolean) => void} change */
  constructor(change) {
    this.change = change;
    this.palette = /** @type {HTMLSelectElement} */ (element("palette"));
    this.projector = element("projector");
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    this.palette.value = String(kept.palette ?? 0);
    this.setProjector(Boolean(kept.projector));
    this.palette.addEventListener("change", () => this.apply());
    this.projector.addEventListener("click", () => {
      this.setProjector(this.projector.getAttribute("aria-pressed") !== "true");
      this.apply();
    });
  }

  setProjector(/** @type {boolean} */ on) {
    this.projector.setAttribute("aria-pressed", String(on));
    document.documentElement.classList.toggle("projector", on);
  }

  apply() {
    const palette = Number(this.palette.value);
    const projector = this.projector.getAttribute("aria-pressed") === "true";
    localStorage.setItem(KEPT, JSON.stringify({ palette, projector }));
    return this.change(palette, projector);
  }
}
