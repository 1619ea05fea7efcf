// Saves what is shown: the picture for a slide, the state for a program.
import { Drawing } from "page/core.js";
import { element } from "page/dom.js";

const KINDS = { svg: Drawing.SLIDE, png: Drawing.SLIDE, txt: Drawing.TEXT, json: Drawing.JSON };
const TYPES = { svg: "image/svg+xml", txt: "text/plain", json: "application/json" };
const PNG_WIDTH = 1920;

/** The slide as PNG, drawn by the browser. @param {string} svg @returns {Promise<Blob>} */
async function png(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = PNG_WIDTH;
  canvas.height = Math.round((PNG_WIDTH * image.naturalHeight) / image.naturalWidth) || PNG_WIDTH;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large for a PNG"))), "image/png"));
}

export class Export {
  /** @param {import("page/run.js").Run} run @param {() => import("page/status.js").Status | null} status */
  constructor(run, status) {
    this.run = run;
    this.status = status;
    this.menu = /** @type {HTMLDetailsElement} */ (element("export"));
    for (const button of this.menu.querySelectorAll("button"))
      button.addEventListener("click", () => this.save(/** @type {keyof typeof KINDS} */ (button.dataset.format)));
    this.menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.menu.open = false;
      this.menu.querySelector("summary")?.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Node && !this.menu.contains(event.target)) this.menu.open = false;
    });
  }

  open() {
    this.menu.open = true;
    this.menu.querySelector("button")?.focus();
  }

  /** @param {keyof typeof KINDS} format */
  async save(format) {
    this.menu.open = false;
    try {
      const drawn = await this.run.drawing(KINDS[format]);
      const blob = format === "png" ? await png(drawn) : new Blob([drawn], { type: TYPES[format] });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `thimble-${this.status()?.position ?? 0}.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    } catch (error) {
      element("message").textContent = error instanceof Error ? error.message : String(error);
    }
  }
}
