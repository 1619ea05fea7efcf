// wasm.mjs PAGE.WASM RANDOM-STATES: what page.wasm draws equals what the native program draws, byte for byte, for a
// thousand random states; it imports nothing, is small, and a picture is quick (the bench measures how quick).
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { assert, run, test } from "./harness.mjs";
import { Core, Drawing } from "../../src/page/core.js";

const [wasmPath, statesPath] = process.argv.slice(2);
const wasm = readFileSync(wasmPath);
const STATES = 1000, EVENTS = 30000, LARGEST = 256 * 1024, QUICK_MS = 10;

class Reader {
  constructor(/** @type {Buffer} */ bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  number() {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }
  take(/** @type {number} */ length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

async function coreOf(/** @type {Uint8Array} */ events) {
  const core = await Core.create(wasm, { remote: false, live: false, header: { frames: 24, reserved: 3, swap_pages: 24 } });
  core.addEvents(1, events);
  core.call("set_length", events.length / 64, 1, 0);
  return core;
}

function draw(/** @type {Core} */ core, /** @type {number} */ kind) {
  assert.equal(core.call("put_drawing", kind), 0);
  return Buffer.from(core.bytes());
}

test("it imports nothing and is small", async () => {
  const module = await WebAssembly.compile(wasm);
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  assert.ok(wasm.length < LARGEST, `${wasm.length} bytes`);
});

test("a thousand random states are drawn as by the native program", async () => {
  const output = execFileSync(statesPath, ["20", String(EVENTS), String(STATES)], { maxBuffer: 1 << 30 });
  const reader = new Reader(output);
  const count = reader.number();
  const core = await coreOf(reader.take(count * 64));
  let spent = 0, different = 0;
  for (let i = 0; i < STATES; i++) {
    const n = reader.number(), palette = reader.number();
    core.call("set_options", palette, n & 1);
    assert.equal(core.call("go", n), 1);
    const start = process.cpuUsage();
    const svg = draw(core, Drawing.SVG);
    spent += process.cpuUsage(start).user / 1000;
    const expected = [reader.take(reader.number()), reader.take(reader.number()), reader.take(reader.number())];
    assert.ok(svg.equals(expected[0]), `the SVG of event ${n} differs`);
    assert.ok(draw(core, Drawing.JSON).equals(expected[1]), `the JSON of event ${n} differs`);
    assert.ok(draw(core, Drawing.TEXT).equals(expected[2]), `the text of event ${n} differs`);
    different += svg.length > 1000 ? 1 : 0;
  }
  assert.equal(different, STATES, "these are no pictures");
  console.log(`# ${(spent / STATES).toFixed(2)} ms a picture`);
  assert.ok(spent / STATES < QUICK_MS, `a picture takes ${spent / STATES} ms`);
});

await run();
