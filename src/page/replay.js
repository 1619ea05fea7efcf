// A replay: the whole run inside this document, packed. Nothing is fetched; everything is there from the start.

/** @param {Element} element that holds base64 of a deflate stream */
async function unpack(element) {
  const text = element.textContent ?? "";
  const packed = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {string} kind */
function packedParts(kind) {
  return [...document.querySelectorAll(`script[type="application/octet-stream"][data-kind="${kind}"]`)];
}

export class Replay {
  /** Whether this document is one. */
  static isHere() {
    return packedParts("wasm").length > 0;
  }

  static async open() {
    const text = document.getElementById("replay-info")?.textContent ?? "{}";
    return new Replay(JSON.parse(text));
  }

  static async wasm() {
    return unpack(packedParts("wasm")[0]);
  }

  /** @param {any} info */
  constructor(info) {
    this.info = { ...info, remote: false, live: false, state: "recorded", finished: true };
  }

  /** Puts all events into the C half. @param {import("page/core.js").Core} core */
  async load(core) {
    let first = 1;
    for (const part of packedParts("events")) {
      const records = await unpack(part);
      core.addEvents(first, records);
      first += records.length / 64;
      part.remove();
    }
    core.call("set_length", first - 1, true, this.info.cut);
  }

  /** Keeps states here and there in the background, so that every step of a long run is near one. */
  prepare(/** @type {import("page/run.js").Run} */ run) {
    const next = async (/** @type {number} */ from) => {
      const reached = await run.queue(async () => run.core.call("prepare", from));
      if (reached > from && reached < this.info.events) setTimeout(next, 0, reached);
    };
    next(0);
  }

  async supply() {
    throw new Error("a part of this replay is missing");
  }
}
