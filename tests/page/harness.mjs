// Tests one after the other, told as TAP. A failed expectation is an exception.
import assert from "node:assert/strict";

/** @type {{name: string, body: () => Promise<void>}[]} */
const tests = [];

export { assert };

/** @param {string} name @param {() => Promise<void>} body */
export function test(name, body) {
  tests.push({ name, body });
}

/** Runs them all and ends the process. @param {() => Promise<void>} cleanUp */
export async function run(cleanUp = async () => undefined) {
  let failed = 0;
  console.log(`1..${tests.length}`);
  for (const [index, { name, body }] of tests.entries()) {
    const start = Date.now();
    try {
      await body();
      console.log(`ok ${index + 1} - ${name} # ${Date.now() - start} ms`);
    } catch (error) {
      failed++;
      console.log(`not ok ${index + 1} - ${name}`);
      console.log(String(error?.stack ?? error).replace(/^/gm, "# "));
    }
  }
  await cleanUp();
  process.exit(failed ? 1 : 0);
}
