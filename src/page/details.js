// Everything about the thing that is pointed at: address, entry, frame, bytes.
import { element, make } from "page/dom.js";
import { faultKind } from "page/kinds.js";

const WIDE = 470; /* pixels: room for 16 bytes a line and their characters */
const HINT = "Point at a page, an entry, a frame or a page of a file: its whole chain lights up. Click to keep it. " +
  "With the keyboard ↑ and ↓ go from part to part, Esc lets go.";

const USES = {
  free: "free", reserved: "reserved for the OS", page_table: "a page table", anonymous: "a page without a file",
  page_cache: "a page of a file",
};

/** @param {string} path */
function shortName(path) {
  return path.split("/").pop() || path;
}

/** What pictures call a virtual page. @param {{vpn: string, cell?: number}} page */
function pageName(page) {
  return page.cell === undefined ? `VPN ${page.vpn}` : `VPN${page.cell} (${page.vpn})`;
}

/** Faults by kind. @param {{faults: Record<string, number>}} thing */
function faultWords(thing) {
  const used = Object.entries(thing.faults).filter(([, count]) => count);
  return used.map(([kind, count]) => `${faultKind(kind).word} ${count}`).join(", ") || "none";
}

/** The marks of an entry, those that it lacks struck out. @param {any} entry */
function marks(entry) {
  const names = { user: "user", referenced: "referenced", dirty: "dirty", copy_on_write: "copy on write", lazy: "lazily freed" };
  return Object.entries(names).map(([name, word]) =>
    make("span", { class: entry[name] ? "bit on" : "bit", title: `${word}: ${entry[name] ? "yes" : "no"}` }, word));
}

/** Eight and eight. @param {string[]} bytes */
function groups(bytes) {
  return [bytes.slice(0, 8), bytes.slice(8)].filter((group) => group.length).map((group) => group.join(" "));
}

/** @param {string} hex the bytes of a page @param {number} perLine @returns {Node} */
function dump(hex, perLine) {
  const lines = [];
  let skipping = false;
  for (let at = 0; at < hex.length / 2; at += perLine) {
    const bytes = hex.slice(2 * at, 2 * (at + perLine)).match(/../g) ?? [];
    const same = at > 0 && bytes.every((byte) => byte === "00");
    if (same && skipping) continue;
    skipping = same;
    const ascii = bytes.map((byte) => {
      const code = parseInt(byte, 16);
      return code >= 32 && code < 127 ? String.fromCharCode(code) : "·";
    });
    const offset = at.toString(16).padStart(3, "0");
    lines.push(same ? `${offset}  … zeros` : `${offset}  ${groups(bytes).join("  ")}  ${ascii.join("")}`);
  }
  return make("pre", { class: "bytes", tabindex: 0, "aria-label": "Bytes of the page" }, lines.join("\n"));
}

export class Details {
  /** @param {(token: string) => void} follow another thing is asked for */
  constructor(follow) {
    this.follow = follow;
    this.pane = element("details");
    this.show(null, null, false);
  }

  /** @param {any} thing as page/details.h tells it, the machine if nothing is pointed at, @param {string | null} token @param {boolean} pinned */
  show(thing, token, pinned) {
    if (!thing) {
      this.pane.replaceChildren(make("p", { class: "hint" }, token ? "Nothing is known about this here." : HINT));
      return;
    }
    const heading = make("h2", {}, this.title(thing), pinned ? make("span", { class: "pinned", title: "Esc lets go" }, "kept") : "");
    const list = make("dl");
    for (const [name, ...values] of this.facts(thing)) list.append(make("dt", {}, name), make("dd", {}, ...values));
    const content = thing.content === undefined ? [] :
      thing.content === null ? [make("p", { class: "hint" }, "The bytes were not recorded.")] : [dump(thing.content, this.pane.clientWidth >= WIDE ? 16 : 8)];
    const hint = thing.what === "machine" ? [make("p", { class: "hint" }, HINT)] : [];
    this.pane.replaceChildren(heading, list, ...content, ...hint);
  }

  /** A thing's name, to be clicked. @param {string} token @param {string} name */
  link(token, name) {
    const button = make("button", { type: "button", class: "link" }, name);
    button.addEventListener("click", () => this.follow(token));
    return button;
  }

  /** @param {any} thing @returns {string} */
  title(thing) {
    switch (thing.what) {
      case "page": return `${pageName(thing)} of PID ${thing.pid}`;
      case "frame": return `Frame PP${thing.frame}`;
      case "file page": return `Page ${thing.file_page} of ${shortName(thing.file ?? "a file")}`;
      case "swap page": return `Swap page ${thing.slot}`;
      case "machine": return "The machine";
      default: return `PID ${thing.pid}`;
    }
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]][]} */
  facts(thing) {
    switch (thing.what) {
      case "page": return this.pageFacts(thing);
      case "frame": return this.frameFacts(thing);
      case "file page": return this.fileFacts(thing);
      case "swap page": return this.slotFacts(thing);
      case "machine": return this.machineFacts(thing);
      default: return this.processFacts(thing);
    }
  }

  /** The address as the MMU cuts it. @param {any} thing @returns {[string, ...(Node | string)[]]} */
  split(thing) {
    const address = BigInt(thing.fault_address ?? thing.address);
    const offset = (address & 0xfffn).toString(16).padStart(3, "0");
    return [thing.fault_address ? "Faulting address" : "Address",
      make("span", { class: "split" },
        make("span", { class: "vpn", title: "virtual page number" }, `0x${(address >> 12n).toString(16)}`),
        make("span", { class: "offset", title: "offset in the page: 12 bits" }, offset)),
      make("span", { class: "note" }, " VPN | offset")];
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]][]} */
  pageFacts(thing) {
    const { entry, mapping } = thing;
    /** @type {[string, ...(Node | string)[]][]} */
    const facts = [this.split(thing)];
    const target = entry.frame !== undefined ? [this.link(`f${entry.frame}`, `PP${entry.frame}`)] :
      entry.slot !== undefined ? [this.link(`s${entry.slot}`, `swap page ${entry.slot}`)] : ["nothing"];
    facts.push(["Entry", make("code", {}, entry.kind === "present" ? entry.access : "---"), ` ${entry.kind} → `, ...target]);
    facts.push(["Marks", ...marks(entry)]);
    if (!mapping) return [...facts, ["Mapping", "none: touching it is an error"]];
    const kind = mapping.object ? [this.link(`o${mapping.object}:${mapping.file_page}`, `page ${mapping.file_page}`),
      ` of ${mapping.file ?? "a file"}`] : [mapping.heap ? "heap" : mapping.stack ? "stack" : "anonymous memory"];
    facts.push(["Mapping", make("code", {}, mapping.access), ` ${mapping.shared ? "shared" : "private"}, ${mapping.from} – ${mapping.to}`]);
    facts.push(["Backed by", ...kind]);
    return facts;
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]]} */
  mappers(thing) {
    if (!thing.mappers?.length) return ["Mapped by", "nobody"];
    const links = thing.mappers.flatMap((/** @type {any} */ mapper, /** @type {number} */ index) => [
      index ? ", " : "",
      this.link(`v${mapper.pid}:${mapper.vpn.slice(2)}`, `PID ${mapper.pid} ${pageName(mapper)}`), " ", make("code", {}, mapper.access),
    ]);
    const more = thing.mapper_count - thing.mappers.length;
    return ["Mapped by", ...links, more ? ` and ${more} more` : ""];
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]][]} */
  frameFacts(thing) {
    const use = USES[/** @type {keyof typeof USES} */ (thing.use)] ?? thing.use;
    /** @type {[string, ...(Node | string)[]][]} */
    const facts = [["Holds", use + (thing.victim ? ", and is the victim" : "")]];
    if (thing.file_page !== undefined)
      facts.push(["File", this.link(`o${thing.object}:${thing.file_page}`, `page ${thing.file_page}`), ` of ${thing.file ?? "a file"}`]);
    if (thing.since) facts.push(["Since", `event ${thing.since}`]);
    if (thing.page_id) facts.push(["Page identity", make("code", {}, thing.page_id)], this.mappers(thing));
    return facts;
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]][]} */
  fileFacts(thing) {
    /** @type {[string, ...(Node | string)[]][]} */
    const facts = [["File", thing.file ?? "unknown"], ["Offset", `${thing.offset}, of ${thing.file_pages} pages`]];
    facts.push(["In memory", ...(thing.frame === undefined ? ["no"] : [this.link(`f${thing.frame}`, `PP${thing.frame}`)])]);
    if (thing.frame !== undefined) facts.push(this.mappers(thing));
    return facts;
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]][]} */
  slotFacts(thing) {
    /** @type {[string, ...(Node | string)[]][]} */
    const facts = [["Assigned", thing.used ? "yes" : "no, free"]];
    if (!thing.used) return facts;
    facts.push(["Holds data", thing.written ? "yes: a page was written out to it" : "not yet: nothing was written out to it"]);
    facts.push(["In memory", ...(thing.frame === undefined ? ["no"] : [this.link(`f${thing.frame}`, `PP${thing.frame}`)])]);
    if (thing.frame !== undefined) facts.push(this.mappers(thing));
    return facts;
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]][]} */
  machineFacts(thing) {
    return [
      ["Frames", `${thing.frames}: ${thing.reserved} for the OS, ${thing.free} free, ${thing.page_cache} with pages of files, ` +
        `${thing.anonymous} without a file${thing.page_table ? `, ${thing.page_table} page tables` : ""}`],
      ["Swap", `${thing.slots_used} of ${thing.swap_pages} pages assigned; ${thing.swap_out} written, ${thing.swap_in} read`],
      ["Faults", faultWords(thing)],
      ["Evictions", `${thing.evicted_clean} clean, ${thing.evicted_dirty} written out; ${thing.refaults} pages came back`],
      ["Policy", `${thing.policy ?? "–"}, page table ${thing.page_table_format ?? "–"}`],
      ["So far", `${thing.switches} switches, ${thing.syscalls} system calls, ${thing.instructions} instructions`],
    ];
  }

  /** @param {any} thing @returns {[string, ...(Node | string)[]][]} */
  processFacts(thing) {
    return [
      ["Program", thing.path ?? "–"], ["Command", (thing.command ?? []).join(" ")],
      ["Parent", thing.parent ? this.link(`p${thing.parent}`, `PID ${thing.parent}`) : "the machine"],
      ["State", thing.ended ? `ended, wait status ${thing.wait_status}` : "alive"],
      ["In memory", `${thing.present ?? 0} pages; ${thing.swapped ?? 0} swapped out`],
      ["Faults", faultWords(thing)], ["Swapped", `in ${thing.swap_in}, out ${thing.swap_out}`],
      ["System calls", String(thing.syscalls)],
    ];
  }
}
