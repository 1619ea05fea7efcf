// page.mjs MODULES THIMBLE GUESTS: the page in a browser, of replays opened from file:// and of `thimble web`.
import { copyFileSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { assert, run, test } from "./harness.mjs";
import { Bench, Line, drawing, position, press, processorTime, stamp, text } from "./browser.mjs";

const [modules, thimble, folder] = process.argv.slice(2);
const bench = new Bench(modules, thimble, folder);
const guests = bench.guests;
await bench.start();

const small = bench.record("small", 9, [join(guests, "asm-print")], ["--reserved", "3"]);
const busy = bench.record("busy", 20, [join(guests, "static-random-memory"), "1", "20"]);
const smallReplay = bench.replay(small), busyReplay = bench.replay(busy);

/** Faults that keep people from using a page. @param {any} page */
async function seriousFaults(page) {
  await page.addScriptTag({ path: join(modules, "node_modules/axe-core/axe.min.js") }).catch(() => undefined);
  await page.evaluate(readFileSync(join(modules, "node_modules/axe-core/axe.min.js"), "utf8"));
  const result = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run(document, { resultTypes: ["violations"] }));
  return result.violations.filter((/** @type {any} */ violation) => ["serious", "critical"].includes(violation.impact))
    .map((/** @type {any} */ violation) => `${violation.id}: ${violation.nodes.map((/** @type {any} */ node) => node.html).join(" | ")}`);
}

async function fits(/** @type {any} */ page) {
  return page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight);
}

test("a replay opens from file:// and shows where the program begins", async () => {
  const page = await bench.open(smallReplay);
  assert.match(await text(page, "#narration"), /\w+/);
  assert.match(await page.title(), /asm-print/);
  assert.equal(await text(page, "#state"), "recorded");
  assert.ok((await drawing(page)).length > 2000, "there is no picture");
  assert.ok((await position(page)) > 0);
  assert.ok(await fits(page), "it does not fit 1280 × 720");
  await page.context().close();
});

test("steps go on and back, and back shows the same picture", async () => {
  const page = await bench.open(busyReplay);
  const places = [await position(page)], pictures = [await drawing(page)];
  for (let i = 0; i < 5; i++) {
    await press(page, i % 2 ? "s" : "ArrowRight");
    places.push(await position(page));
    pictures.push(await drawing(page));
  }
  assert.deepEqual(places, [...new Set(places)].sort((a, b) => a - b));
  for (let i = 4; i >= 0; i--) {
    await press(page, "ArrowLeft");
    assert.equal(await position(page), places[i]);
    assert.equal(await drawing(page), pictures[i]);
  }
  await press(page, "End");
  const end = await position(page);
  await press(page, "Home");
  assert.ok((await position(page)) < places[0] + 1 && end > places[5]);
  await page.context().close();
});

test("the address holds the step, and leads to it", async () => {
  const page = await bench.open(`${busyReplay}#s=300`);
  const there = await position(page);
  assert.ok(there > 250 && there <= 300, `it is at ${there}`);
  const before = await stamp(page);
  await page.evaluate(() => { location.hash = "#s=120"; });
  await page.waitForFunction((/** @type {string} */ old) => document.documentElement.dataset.shown !== old, before);
  assert.ok((await position(page)) <= 120);
  await page.context().close();
});

test("n finds faults, g goes where it is told and says what it did not understand", async () => {
  const page = await bench.open(busyReplay);
  await press(page, "n");
  assert.match(await text(page, "#narration"), /PID \d+/);
  await press(page, "g");
  assert.ok(await page.isVisible("#question"));
  await page.fill("#answer", "kind=victim");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#question", { state: "hidden" });
  assert.match(await text(page, "#narration"), /victim|evict|choos/i);
  await press(page, "g");
  await page.fill("#answer", "nowhere at all");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("message")?.textContent?.includes("nowhere at all"));
  assert.ok(await page.isVisible("#question"));
  const before = await position(page);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#question", { state: "hidden" });
  assert.equal(await position(page), before);
  await page.context().close();
});

test("a prediction is asked before the victim is shown, and scored", async () => {
  const page = await bench.open(busyReplay);
  await press(page, "p");
  assert.match(await text(page, "#question-text"), /victim/i);
  assert.equal(await page.isVisible("#rows .later"), false, "the list gives the answer away");
  await page.fill("#answer", "8");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#score:not([hidden])");
  assert.match(await text(page, "#score"), /^[01] of 1 right$/);
  assert.match(await text(page, "#message"), /right|wrong|PP\d+/i);
  await page.context().close();
});

test("hovering lights up the whole chain, a click keeps it, escape lets go", async () => {
  const page = await bench.open(`${smallReplay}`);
  await press(page, "End");
  await press(page, "ArrowLeft");
  for (let i = 0; i < 40 && !(await page.$('#picture [data-part="pte"][data-chain*=" f"]')); i++) await press(page, "ArrowLeft");
  const pte = page.locator('#picture [data-part="pte"][data-chain*=" f"]').first();
  const tokens = (await pte.getAttribute("data-chain")).split(" ");
  const frame = tokens.find((/** @type {string} */ token) => token.startsWith("f"));
  await pte.hover();
  await page.waitForFunction(() => document.querySelectorAll("#picture .lit").length >= 3);
  const lit = await page.$$eval("#picture .lit", (/** @type {Element[]} */ parts) => parts.map((part) => part.getAttribute("data-part")));
  for (const part of ["vpn", "pte", "frame"]) assert.ok(lit.includes(part), `no ${part} among ${lit}`);
  assert.match(await text(page, "#details"), new RegExp(`PP${frame.slice(1)}`));
  await pte.click();
  await page.mouse.move(5, 5);
  assert.match(await text(page, "#details h2"), /kept/);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelectorAll("#picture .lit").length === 0);
  await page.keyboard.press("ArrowDown");
  await page.waitForSelector("#details h2 .pinned");
  await page.context().close();
});

test("a page, a frame and a file are found by name", async () => {
  const page = await bench.open(smallReplay);
  await press(page, "n");
  const found = { "0x401000": /VPN 0x401 of PID/, "PP0": /Frame PP0/, "asm-print 1": /Page 1 of asm-print/, "swap 3": /Swap page 3/ };
  for (const [words, heading] of Object.entries(found)) {
    await page.keyboard.press("/");
    await page.fill("#find", words);
    await page.keyboard.press("Enter");
    await page.waitForFunction((/** @type {string} */ pattern) => new RegExp(pattern).test(document.querySelector("#details h2")?.textContent ?? ""), heading.source);
    await page.keyboard.press("Escape");
  }
  await page.fill("#find", "no such thing");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.getElementById("find")).validationMessage.includes("no such thing"));
  await page.context().close();
});

test("the filter narrows the list and the keys", async () => {
  const page = await bench.open(busyReplay);
  await page.selectOption("#filter-kind", { label: "victim" });
  await page.waitForFunction(() => [...document.querySelectorAll("#rows li")].every((row) => row.getAttribute("data-kind") === "victim"));
  assert.ok((await page.$$("#rows li")).length > 3);
  await page.focus("#picture");
  for (let i = 0; i < 3; i++) {
    await press(page, "N");
    assert.equal(await page.getAttribute("#rows [aria-current]", "data-kind"), "victim");
  }
  await page.click("#filter button");
  await page.waitForFunction(() => new Set([...document.querySelectorAll("#rows li")].map((row) => row.getAttribute("data-kind"))).size > 1);
  await page.context().close();
});

test("a click on an event, on the timeline and on a chart goes there", async () => {
  const page = await bench.open(busyReplay);
  const row = page.locator("#rows li.later").nth(3);
  const n = Number(await row.getAttribute("data-n"));
  await row.click();
  await page.waitForFunction((/** @type {number} */ to) => location.hash === `#s=${to}`, n);
  const track = await page.locator("#scrubber").boundingBox();
  await page.mouse.click(track.x + track.width * 0.75, track.y + 20);
  await page.waitForFunction((/** @type {number} */ from) => Number(location.hash.slice(3)) > from, n);
  await page.click("#tab-faults");
  const before = await position(page);
  const plot = await page.locator("#faults > svg").boundingBox();
  await page.mouse.click(plot.x + plot.width * 0.3, plot.y + plot.height / 2);
  await page.waitForFunction((/** @type {number} */ from) => Number(location.hash.slice(3)) < from, before);
  assert.match(await text(page, "#faults .legend"), /Faults so far, at event \d+.*\d/);
  await page.click("#tab-resident");
  assert.match(await text(page, "#resident .legend"), /PID \d+/);
  await page.context().close();
});

test("the terminal shows what was written up to the step", async () => {
  const page = await bench.open(smallReplay);
  await page.click("#tab-terminal");
  assert.match(await text(page, "#output"), /nothing written/);
  await page.focus("#picture");
  await press(page, "End");
  await page.waitForFunction(() => /\w/.test(document.getElementById("output")?.textContent?.replace(/\(nothing.*/, "") ?? ""));
  await page.context().close();
});

test("pictures and state are exported as they are shown", async () => {
  const page = await bench.open(smallReplay);
  const beginnings = { svg: /^(<\?xml[^>]*>\s*)?<svg /, png: /^\x89PNG/, txt: /\w/, json: /^\s*\{/ };
  for (const [format, beginning] of Object.entries(beginnings)) {
    await press(page, "ArrowRight");
    await page.keyboard.press("e");
    await page.waitForSelector("#export[open]");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(`#export [data-format="${format}"]`)]);
    assert.equal(download.suggestedFilename(), `thimble-${await position(page)}.${format}`);
    const bytes = readFileSync(await download.path());
    assert.ok(bytes.length > 100);
    assert.match(bytes.toString("latin1"), beginning);
    if (format === "svg") assert.doesNotMatch(bytes.toString(), /data-chain/);
    if (format === "json") JSON.parse(bytes.toString());
  }
  await page.context().close();
});

test("labels, palettes and projector mode change the picture and are remembered", async () => {
  const page = await bench.open(smallReplay);
  const first = await drawing(page);
  await press(page, "l");
  const real = await drawing(page);
  assert.notEqual(first, real);
  await page.selectOption("#palette", "2");
  await page.waitForFunction((/** @type {string} */ old) => document.querySelector("#picture svg")?.outerHTML !== old, real);
  await page.click("#projector");
  await page.waitForSelector(".projector");
  assert.ok(await fits(page));
  await page.reload();
  await page.waitForSelector("html.projector[data-ready]");
  assert.equal(await page.inputValue("#palette"), "2");
  await page.context().close();
});

test("everything can be reached by the keyboard alone", async () => {
  const page = await bench.open(smallReplay);
  const seen = new Set();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    seen.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.closest("[id]")?.id || ""));
  }
  for (const id of ["palette", "projector", "export", "picture", "divider", "tab-events", "filter-pid", "rows", "scrubber", "controls"])
    assert.ok(seen.has(id), `Tab does not reach #${id}`);
  await page.focus("#tab-events");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getAttribute("#tab-faults", "aria-selected"), "true");
  await page.click("#tab-terminal");
  const before = await position(page);
  await press(page, "ArrowRight");
  assert.ok((await position(page)) > before, "after a click on a tab the keys do not step");
  await page.focus("#picture");
  await page.keyboard.press("?");
  await page.waitForSelector("#help[open]");
  assert.match(await text(page, "#help-text"), /predict/);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#help[open]", { state: "detached" }).catch(() => undefined);
  await page.context().close();
});

test("axe finds no serious fault, light, dark, projected, asking, helping", async () => {
  const page = await bench.open(busyReplay, { colorScheme: "light", bypassCSP: true });
  await press(page, "n");
  await page.keyboard.press("ArrowDown");
  assert.deepEqual(await seriousFaults(page), []);
  await page.click("#tab-faults");
  await page.keyboard.press("?");
  assert.deepEqual(await seriousFaults(page), []);
  await page.keyboard.press("Escape");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.deepEqual(await seriousFaults(page), []);
  await page.click("#tab-terminal");
  await page.focus("#picture");
  await press(page, "p");
  assert.deepEqual(await seriousFaults(page), []);
  await page.keyboard.press("Escape");
  await page.click("#projector");
  assert.deepEqual(await seriousFaults(page), []);
  await page.context().close();
});

test("names from the guest are only text", async () => {
  const name = "<script>globalThis.hacked=1<script><img src=x onerror=globalThis.hacked=1>&\"'";
  copyFileSync(join(guests, "asm-print"), bench.path(name));
  const trace = bench.record("hostile", 9, [`./${name}`, ..."a long command ".repeat(20).split(" ")], ["--reserved", "3"]);
  for (const address of [bench.replay(trace), await bench.serve(trace)]) {
    const page = await bench.open(address);
    await press(page, "End");
    for (const tab of ["events", "terminal"]) await page.click(`#tab-${tab}`);
    await page.focus("#picture");
    for (let i = 0; i < 10; i++) await press(page, "ArrowLeft");
    assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).hacked), undefined);
    assert.equal(await page.$("img"), null);
    assert.ok((await text(page, "#title")).includes("<script>"));
    assert.ok(await fits(page), "a long title does not fit");
    await page.context().close();
  }
});

test("a trace that was cut is replayed as far as it goes", async () => {
  const cut = bench.path("cut.trace");
  copyFileSync(busy, cut);
  truncateSync(cut, Math.floor(readFileSync(busy).length * 0.6));
  const page = await bench.open(bench.replay(cut));
  await press(page, "End");
  assert.match(await text(page, "#message"), /was cut.*event \d+|ends|cut here/);
  await page.context().close();
});

test("a served trace shows what its replay shows", async () => {
  const address = await bench.serve(busy);
  const served = await bench.open(address), replayed = await bench.open(busyReplay);
  assert.equal(await served.evaluate(() => location.hash.includes("token")), false, "the token is still in the address");
  for (const step of [5, 400, 1200, 60]) {
    for (const page of [served, replayed]) {
      const before = await stamp(page);
      await page.evaluate((/** @type {number} */ n) => { location.hash = `#s=${n}`; }, step);
      await page.waitForFunction((/** @type {string} */ old) => document.documentElement.dataset.shown !== old, before);
    }
    assert.equal(await position(served), await position(replayed));
    assert.equal(await drawing(served), await drawing(replayed));
    assert.equal(await text(served, "#narration"), await text(replayed, "#narration"));
  }
  await served.context().close();
  await replayed.context().close();
});

/** @param {any} page @param {string} state */
function stateIs(page, state) {
  return page.waitForSelector(`#state[data-state="${state}"]`);
}

/** Presses a key that lets the machine run on, and waits until it stands at a later step, which is shown.
 * @param {any} page @param {string} key */
async function runOn(page, key) {
  const from = await position(page);
  await page.keyboard.press(key);
  await page.waitForFunction((/** @type {number} */ old) => Number(location.hash.slice(3)) > old, from);
  await stateIs(page, "paused");
  for (let before = ""; before !== (await stamp(page)); await page.waitForTimeout(300)) before = await stamp(page);
}

test("a live run is stepped, stands still, goes on, and reads what is typed", async () => {
  const page = await bench.open(await bench.serve("-n", "60", "--", "/usr/bin/tr", "a-z", "A-Z"));
  const child = bench.children[bench.children.length - 1];
  await stateIs(page, "paused");
  const places = [await position(page)];
  for (const key of ["ArrowRight", "s", "n", "ArrowRight"]) {
    await runOn(page, key);
    places.push(await position(page));
  }
  const spent = processorTime(child.pid);
  await page.waitForTimeout(700);
  assert.ok(processorTime(child.pid) - spent <= 3, "a machine that stands still uses the processor");
  await press(page, "ArrowLeft");
  assert.equal(await position(page), places[places.length - 2]);
  await page.click("#tab-terminal");
  await page.focus("#picture");
  await page.keyboard.press("c");
  await stateIs(page, "running");
  await page.fill("#typed", "hello there");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("output")?.textContent?.includes("HELLO THERE"));
  await page.click("#end-of-input");
  await stateIs(page, "ended");
  await page.focus("#picture");
  await press(page, "Home");
  await press(page, "End");
  assert.match(await text(page, "#narration"), /machine|exit|end/i);
  await page.context().close();
});

test("a program that runs is paused, and stepped from there", async () => {
  const page = await bench.open(await bench.serve("-n", "24", "--", join(guests, "static-random-memory"), "1", "1000000"));
  await stateIs(page, "paused");
  await page.keyboard.press("c");
  await stateIs(page, "running");
  await page.waitForFunction(() => Number(location.hash.slice(3)) > 20000);
  await page.keyboard.press("c");
  await stateIs(page, "paused");
  await page.waitForTimeout(300);
  const held = await position(page);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((/** @type {number} */ from) => Number(location.hash.slice(3)) > from, held);
  assert.ok((await position(page)) - held < 200, "it did not stop at the next step");
  await page.context().close();
});

test("a connection that was lost is found again, at the same step", async () => {
  const line = await Line.join(await bench.serve("-n", "9", "--reserved", "3", "--", join(guests, "asm-shout")));
  const page = await bench.open(line.address);
  await stateIs(page, "paused");
  await runOn(page, "ArrowRight");
  await runOn(page, "ArrowRight");
  const before = await position(page);
  await line.cut();
  await stateIs(page, "lost");
  await press(page, "ArrowLeft");
  await page.waitForTimeout(300);
  await line.joinAgain();
  await stateIs(page, "paused");
  assert.ok((await position(page)) <= before);
  for (let i = 0; i < 4; i++) await press(page, "ArrowRight");
  assert.ok((await position(page)) > before);
  await line.cut();
  await page.context().close();
});

test("without the token the machine is only looked at", async () => {
  const address = await bench.serve("-n", "9", "--reserved", "3", "--", join(guests, "asm-shout"));
  const page = await bench.open(address.replace(/#.*/, ""));
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => /token|403|forbidden/i.test(document.getElementById("message")?.textContent ?? ""));
  await page.context().close();
  bench.errors = bench.errors.filter((error) => !/403/.test(error));
});

// The bench measures it on a machine that does nothing else; here it must only not depend on the length of the run,
// which would take seconds.
test("any step of a long run is shown at once", async () => {
  const trace = bench.record("long", 20, [join(guests, "static-random-memory"), "1", "3000"]);
  const page = await bench.open(await bench.serve(trace));
  const events = await page.evaluate(() => Number(/** @type {HTMLInputElement} */ (document.getElementById("scrubber")).max));
  assert.ok(events > 1000000, `${events} events`);
  const times = [];
  for (let i = 1; i <= 20; i++) {
    const n = Math.floor((events * ((i * 7) % 20)) / 20) + 123;
    times.push(await page.evaluate(async (/** @type {number} */ to) => {
      const root = document.documentElement, before = root.dataset.pictures, start = performance.now();
      location.hash = `#s=${to}`;
      while (root.dataset.pictures === before) await new Promise((resolve) => setTimeout(resolve, 1));
      return performance.now() - start;
    }, n));
  }
  times.sort((a, b) => a - b);
  console.log(`# ${events} events: a step in ${times[10].toFixed(0)} ms (median), ${times[19].toFixed(0)} ms at most`);
  assert.ok(times[10] < 1000, `it takes ${times[10]} ms`);
  await page.context().close();
});

test("no request left this machine and no script failed", async () => {
  assert.deepEqual(bench.strays, []);
  assert.deepEqual(bench.errors, []);
});

await run(() => bench.stop());
