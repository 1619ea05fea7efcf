// The border between picture and side, to be dragged or moved with the arrow keys.

const LEAST = 280, MOST = 720, STEP = 20, KEPT = "thimble-side";

export class Divider {
  constructor() {
    this.handle = /** @type {HTMLElement} */ (document.getElementById("divider"));
    this.handle.setAttribute("aria-valuemin", String(LEAST));
    this.handle.setAttribute("aria-valuemax", String(MOST));
    this.set(Number(localStorage.getItem(KEPT)) || Math.min(400, innerWidth * 0.32));
    this.handle.addEventListener("pointerdown", (event) => this.drag(event));
    this.handle.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      this.set(this.width + by);
    });
  }

  set(/** @type {number} */ width) {
    this.width = Math.round(Math.min(MOST, Math.max(LEAST, width)));
    document.documentElement.style.setProperty("--side", `${this.width}px`);
    this.handle.setAttribute("aria-valuenow", String(this.width));
    localStorage.setItem(KEPT, String(this.width));
  }

  /** @param {PointerEvent} start */
  drag(start) {
    const width = this.width;
    this.handle.setPointerCapture(start.pointerId);
    this.handle.onpointermove = (event) => this.set(width + start.clientX - event.clientX);
    this.handle.onpointerup = () => { this.handle.onpointermove = null; };
  }
}
