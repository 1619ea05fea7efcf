// The C half of the page (wasm.c): its memory, its calls, what they wrote. Knows nothing of the document.

/** The C library's number of "not here yet" (WASI's numbering). */
export const NOT_HERE_YET = -6;

export const Result = Object.freeze({
  NOTHING: 0, DRAW: 1, RUN: 2, CONTINUE: 3, PAUSE: 4, FETCH: 5, ASK: 6, EXPORT: 7, HELP: 8, QUIT: 9,
});

export const Key = Object.freeze({ RIGHT: 0x100, LEFT: 0x101, HOME: 0x102, END: 0x103, ESCAPE: 27 });

export const Drawing = Object.freeze({ SVG: 0, SLIDE: 1, TEXT: 2, JSON: 3 });

/**
 * @typedef {object} Shape what has to be known before the first event
 * @property {boolean} remote
 * @property {boolean} live
 * @property {{frames: number, reserved: number, swap_pages: number}} header
 */

export class Core {
  /** @param {BufferSource} wasm @param {Shape} shape */
  static async create(wasm, shape) {
    const { instance } = await WebAssembly.instantiate(wasm, {});
    return new Core(instance.exports, shape);
  }

  /** @param {any} exports @param {Shape} shape */
  constructor(exports, shape) {
    const { frames = 0, reserved = 0, swap_pages = 0 } = shape.header;
    this.exports = exports;
    this.page = exports.page_create(shape.remote, shape.live, frames, reserved, swap_pages);
    if (!this.page) throw new Error("there is not enough memory for this run");
  }

  /** Calls page_NAME. @param {string} name @param {...any} args @returns {number} */
  call(name, ...args) {
    return this.exports[`page_${name}`](this.page, ...args);
  }

  /**
   * Calls `use` with the address of these bytes in the C half's memory, aligned for any record.
   * @template T @param {Uint8Array} bytes @param {(address: number) => T} use @returns {T}
   */
  withBytes(bytes, use) {
    const address = this.exports.page_allocate(bytes.length || 1);
    if (!address) throw new Error("the page has run out of memory");
    try {
      new Uint8Array(this.exports.memory.buffer).set(bytes, address);
      return use(address);
    } finally {
      this.exports.page_release(address);
    }
  }

  /** @template T @param {string} string @param {(address: number) => T} use @returns {T} */
  withString(string, use) {
    return this.withBytes(new TextEncoder().encode(`${string}\0`), use);
  }

  /** What the last put_… wrote, as bytes that stay. */
  bytes() {
    const start = this.exports.page_text(this.page);
    return new Uint8Array(this.exports.memory.buffer).slice(start, start + this.exports.page_text_length(this.page));
  }

  text() {
    return new TextDecoder().decode(this.bytes());
  }

  json() {
    return JSON.parse(this.text());
  }

  /** @param {number} first @param {Uint8Array} records of 64 bytes */
  addEvents(first, records) {
    const error = this.withBytes(records, (at) => this.call("add_events", first, at, records.length / 64));
    if (error) throw new Error(`the events from ${first} on do not fit (error ${-error})`);
  }

  /** @param {number} n @param {Uint8Array} state */
  addState(n, state) {
    const error = this.withBytes(state, (at) => this.call("add_state", n, at, state.length));
    if (error) throw new Error(`the state after event ${n} cannot be read (error ${-error})`);
  }

  /** @returns {{kind: "events"|"state"|"find", n: number, count: number, backwards: boolean, goal: string}[]} */
  wants() {
    this.call("put_wants");
    return this.json();
  }
}
