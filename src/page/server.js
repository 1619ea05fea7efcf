// What `thimble web` serves: events, states, searches; and, of a live machine, news and control.

const TOKEN = "thimble-token";

/** The token comes in the first address and is taken out of it at once, so that nobody copies it with a link. */
export function takeToken() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  if (!token) return;
  sessionStorage.setItem(TOKEN, token);
  fragment.delete("token");
  history.replaceState(null, "", `${location.pathname}#${fragment}`);
}

/** @param {string} address @param {RequestInit=} options */
async function request(address, options) {
  const answer = await fetch(address, { cache: "no-store", ...options });
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${(await answer.text()).trim()}`);
  return answer;
}

/** @param {string} address */
async function bytes(address) {
  return new Uint8Array(await (await request(address)).arrayBuffer());
}

export class Server {
  static async open() {
    const info = await (await request("/info")).json();
    return new Server(info);
  }

  static async wasm() {
    return bytes("/page.wasm");
  }

  /** @param {any} info */
  constructor(info) {
    this.info = {
      ...info, remote: true, start: 0, finished: Boolean(info.finished), cut: Boolean(info.cut), header: info.header ?? {},
    };
    this.news = /** @type {EventSource | null} */ (null);
  }

  /** Fetches everything that is wanted, at once. @param {import("page/core.js").Core} core */
  async supply(core) {
    await Promise.all(core.wants().map(async (want) => {
      if (want.kind === "events") {
        core.addEvents(want.n, await bytes(`/events?from=${want.n}&count=${want.count}`));
      } else if (want.kind === "state") {
        core.addState(want.n, await bytes(`/state?n=${want.n}`));
      } else {
        const query = `goal=${encodeURIComponent(want.goal)}&from=${want.n}&backwards=${want.backwards ? 1 : 0}`;
        const found = await (await request(`/find?${query}`)).json();
        core.call("add_answer", found.n ?? 0);
      }
    }));
  }

  async history() {
    return (await request("/history")).json();
  }

  /**
   * Tells about a live machine: {events, state} when something changed, null when the connection is lost. The
   * browser connects again by itself while the server is there; when it gives up, this does.
   * @param {(news: {events: number, state: string} | null) => void} tell
   */
  listen(tell) {
    const source = new EventSource("/live");
    this.news = source;
    source.onmessage = (message) => tell(JSON.parse(message.data));
    source.onerror = () => {
      tell(null);
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(() => this.listen(tell), 1000);
    };
  }

  /** @param {string} address @param {BodyInit=} body */
  post(address, body) {
    const headers = { "X-Thimble-Token": sessionStorage.getItem(TOKEN) ?? "" };
    return request(address, { method: "POST", headers, body });
  }

  /** @param {"continue"|"pause"|"stop"|"run"} what @param {string=} goal */
  control(what, goal) {
    return this.post(`/control?do=${what}${goal ? `&goal=${encodeURIComponent(goal)}` : ""}`);
  }

  /** @param {string} typed */
  type(typed) {
    return this.post("/input", typed);
  }

  /** What the programs' terminal shows: output, and what was typed. */
  async output() {
    return new TextDecoder().decode(await bytes("/output?from=0"));
  }
}
