// The picture: the SVG of the C half, and what can be pointed at in it.
//
// Parts carry tokens of everything on their chain (docs/PICTURES.md): pointing at one lights up all that share a
// token, virtual page, entry, frame and file page alike. A click pins it; escape lets go.
import { element } from "page/dom.js";

/** @param {Element} part */
function tokensOf(part) {
  return (part.getAttribute("data-chain") ?? "").split(" ").filter(Boolean);
}

export class Picture {
  /** @param {(token: string | null, pinned: boolean) => void} point */
  constructor(point) {
    this.point = point;
    this.pane = element("picture");
    /** @type {string | null} */
    this.hovered = null;
    /** @type {string | null} */
    this.pinned = null;
    this.pane.addEventListener("pointermove", (event) => this.hover(this.partAt(event)));
    this.pane.addEventListener("pointerleave", () => this.hover(null));
    this.pane.addEventListener("click", (event) => this.click(this.partAt(event)));
    document.addEventListener("keydown", (event) => this.typed(event));
  }

  /** What is pointed at. */
  get token() {
    return this.pinned ?? this.hovered;
  }

  /** @param {string} svg @param {string} narration */
  show(svg, narration) {
    const drawn = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    if (drawn.nodeName !== "svg") throw new Error("the picture is not well-formed");
    const root = /** @type {SVGElement} */ (document.importNode(drawn, true));
    root.setAttribute("role", "img");
    root.setAttribute("aria-label", narration || "The machine before its first event");
    root.setAttribute("width", "100%");
    root.setAttribute("height", "100%");
    this.pane.replaceChildren(root);
    this.light();
  }

  /** @param {Event} event @returns {string | null} */
  partAt(event) {
    const part = event.target instanceof Element ? event.target.closest("[data-chain]") : null;
    return part ? tokensOf(part)[0] ?? null : null;
  }

  hover(/** @type {string | null} */ token) {
    if (token === this.hovered) return;
    this.hovered = token;
    if (this.pinned !== null) return;
    this.light();
    this.point(token, false);
  }

  click(/** @type {string | null} */ token) {
    this.pin(token === this.pinned ? null : token);
  }

  pin(/** @type {string | null} */ token) {
    this.pinned = token;
    this.light();
    this.point(this.token, token !== null);
  }

  /** Arrow up and down point at the parts one after the other. @param {KeyboardEvent} event */
  typed(event) {
    if (event.key === "Escape" && this.pinned !== null) this.pin(null);
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const on = document.activeElement;
    if (!by || (on !== this.pane && on !== document.body && !on?.closest("#controls"))) return;
    event.preventDefault();
    const tokens = [...new Set(this.parts().map((part) => tokensOf(part)[0]))];
    if (!tokens.length) return;
    const at = this.pinned === null ? -1 : tokens.indexOf(this.pinned);
    this.pin(tokens[at < 0 ? (by > 0 ? 0 : tokens.length - 1) : (at + by + tokens.length) % tokens.length]);
  }

  parts() {
    return [...this.pane.querySelectorAll("[data-chain]")];
  }

  /** Lights up the chain of what is pointed at. */
  light() {
    const token = this.token;
    const parts = this.parts();
    const chain = new Set(token ? [token] : []);
    for (const part of parts) {
      const tokens = tokensOf(part);
      if (token && tokens[0] === token) for (const other of tokens) if (!other.startsWith("p")) chain.add(other);
    }
    this.pane.classList.toggle("lighting", chain.size > 0);
    for (const part of parts) part.classList.toggle("lit", tokensOf(part).some((other) => chain.has(other)));
  }
}
