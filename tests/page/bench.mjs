// bench.mjs MODULES THIMBLE GUESTS: what the page costs, as JSON: milliseconds from asking for a step of a run of a
// million events, served, to its picture (40 steps all over it), of drawing alone, and the size of a replay.
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { Bench } from "./browser.mjs";

const [modules, thimble, folder] = process.argv.slice(2);
const STEPS = 40;

/** Goes to a step; how long it took until the picture was there. @param {any} page @param {number} n */
function timeOf(page, n) {
  return page.evaluate(async (/** @type {number} */ to) => {
    const root = document.documentElement, before = root.dataset.pictures, start = performance.now();
    location.hash = `#s=${to}`;
    await new Promise((resolve) => new MutationObserver(() => root.dataset.pictures !== before && resolve(undefined))
      .observe(root, { attributes: true }));
    const took = performance.now() - start;
    await new Promise((resolve) => setTimeout(resolve, 50)); // the list of events follows
    return took;
  }, n);
}

const bench = new Bench(modules, thimble, folder);
await bench.start();
try {
  const long = bench.record("long", 20, [join(bench.guests, "static-random-memory"), "1", "3000"]);
  const page = await bench.open(await bench.serve(long));
  const events = await page.evaluate(() => Number(/** @type {HTMLInputElement} */ (document.getElementById("scrubber")).max));
  const times = [];
  for (let i = 1; i <= STEPS; i++) times.push(await timeOf(page, Math.floor((events * ((i * 17) % STEPS)) / STEPS) + 123));
  times.sort((a, b) => a - b);
  const short = bench.record("short", 20, [join(bench.guests, "static-random-memory"), "1", "20"]);
  const replay = await bench.open(bench.replay(short));
  console.log(JSON.stringify({
    events,
    step_ms_median: Math.round(times[STEPS / 2]),
    step_ms_most: Math.round(times[STEPS - 1]),
    replay_events: await replay.evaluate(() => Number(/** @type {HTMLInputElement} */ (document.getElementById("scrubber")).max)),
    replay_bytes: statSync(fileURLToPath(`file://${short}.html`)).size,
  }));
} finally {
  await bench.stop();
}
