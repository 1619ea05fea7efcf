// A run as the page sees it: where the walker stands, what is there. Brings together the C half and the supplier
// of what it wants; one question after the other, so that an answer is never about another place.
import { Drawing, NOT_HERE_YET, Result } from "page/core.js";

/**
 * @typedef {object} Supplier a replay (replay.js) or a server (server.js)
 * @property {import("page/core.js").Shape & {title: string, events: number, finished: boolean, cut: boolean,
 *   start: number}} info
 * @property {(core: import("page/core.js").Core) => Promise<void>} supply what core.wants() says
 * @property {(() => Promise<object>)=} history
 */

/** Fetching for one question more often than that means that it will never be answered. */
const ROUNDS = 64;

export class Run {
  /** @param {import("page/core.js").Core} core @param {Supplier} supplier */
  constructor(core, supplier) {
    this.core = core;
    this.supplier = supplier;
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
  }

  /** Does this when everything before it is done. @template T @param {() => Promise<T>} what @returns {Promise<T>} */
  queue(what) {
    const done = this.last.then(what, what);
    this.last = done.catch(() => undefined);
    return done;
  }

  /** Tries, fetches what is missing, and tries again. @param {() => number} attempt @param {number} missing */
  settle(attempt, missing) {
    return this.queue(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        this.core.call("clear_wants");
        const result = attempt();
        if (result !== missing) return result;
        await this.supplier.supply(this.core);
      }
      throw new Error("the run could not be read: what was fetched did not help");
    });
  }

  /** A call that walks. @param {string} name @param {...any} args */
  walk(name, ...args) {
    return this.settle(() => this.core.call(name, ...args), Result.FETCH);
  }

  /** A call that writes. @template T @param {() => T} read @param {string} name @param {...any} args */
  async look(read, name, ...args) {
    /** @type {T | undefined} */
    let value;
    const error = await this.settle(() => {
      const result = this.core.call(name, ...args);
      if (!result) value = read();
      return result;
    }, NOT_HERE_YET);
    if (error) throw new Error(`this cannot be shown (error ${-error})`);
    return /** @type {T} */ (value);
  }

  key(/** @type {number} */ key) { return this.walk("key", key); }
  go(/** @type {number} */ n) { return this.walk("go", n); }
  begin() { return this.walk("begin"); }
  arrived() { return this.walk("arrived"); }

  /** @param {string | null} line */
  answer(line) {
    return this.settle(
      () => (line === null ? this.core.call("answer", 0) : this.core.withString(line, (at) => this.core.call("answer", at))),
      Result.FETCH,
    );
  }

  setLength(/** @type {number} */ events, /** @type {boolean} */ finished, /** @type {boolean} */ cut) {
    return this.queue(async () => this.core.call("set_length", events, finished, cut));
  }
  setFilter(/** @type {number} */ pid, /** @type {number} */ kind, /** @type {number} */ object) {
    return this.queue(async () => this.core.call("set_filter", pid, kind, object));
  }
  setOptions(/** @type {number} */ palette, /** @type {boolean} */ projector) {
    return this.queue(async () => this.core.call("set_options", palette, projector));
  }

  status() { return this.look(() => this.core.json(), "put_status"); }
  svg() { return this.look(() => this.core.text(), "put_drawing", Drawing.SVG); }
  drawing(/** @type {number} */ kind) { return this.look(() => this.core.text(), "put_drawing", kind); }
  output() { return this.look(() => this.core.text(), "put_output"); }
  choices() { return this.look(() => this.core.json(), "put_choices"); }
  rows(/** @type {number} */ from, /** @type {boolean} */ backwards, /** @type {number} */ count) {
    return this.look(() => this.core.json(), "put_rows", from, backwards, count);
  }

  /** @param {string} token as in data-chain */
  async details(token) {
    let value = null;
    const error = await this.settle(() => {
      const result = this.core.withString(token, (at) => this.core.call("put_details", at));
      if (!result) value = this.core.json();
      return result;
    }, NOT_HERE_YET);
    return error ? null : value;
  }

  help() {
    return this.queue(async () => {
      this.core.call("put_help");
      return this.core.text();
    });
  }

  /** Faults and resident pages over the run, as page/history.h gives them. */
  history() {
    return this.supplier.history ? this.supplier.history() : this.look(() => this.core.json(), "put_history");
  }
}
