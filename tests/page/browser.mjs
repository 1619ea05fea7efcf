// What the page's tests share: Debian's Chromium by playwright-core, recorded traces, replays, a running server.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const CHROMIUM = "/usr/bin/chromium";

/** Says what is missing and how to get it; a test that cannot run has failed. @param {string} what */
function missing(what) {
  console.log(`Bail out! ${what}: ./bootstrap test installs it`);
  process.exit(1);
}

export class Bench {
  /** @param {string} modules folder with node_modules @param {string} thimble @param {string} guests folder of guest programs */
  constructor(modules, thimble, guests) {
    if (!existsSync(CHROMIUM)) missing(`there is no ${CHROMIUM}`);
    for (const name of ["playwright-core", "axe-core"])
      if (!existsSync(join(modules, "node_modules", name))) missing(`${name} is not in ${modules}/node_modules`);
    this.modules = modules;
    this.thimble = resolve(thimble);
    this.guests = resolve(guests);
    this.folder = mkdtempSync(join(tmpdir(), "thimble-page-"));
    /** @type {import("node:child_process").ChildProcess[]} */
    this.children = [];
    /** @type {string[]} addresses that no page may ask for */
    this.strays = [];
    /** @type {string[]} what scripts complained about */
    this.errors = [];
  }

  async start() {
    const { chromium } = await import(pathToFileURL(join(this.modules, "node_modules/playwright-core/index.mjs")).href);
    const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    this.browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [...asRoot, "--disable-gpu-sandbox", "--disable-seccomp-filter-sandbox"],
    });
  }

  async stop() {
    await this.browser?.close();
    for (const child of this.children) if (child.exitCode === null) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A page that notes what it asks for and what goes wrong. @param {object=} options */
  async page(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 720 }, acceptDownloads: true, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20000);
    page.on("request", (/** @type {any} */ request) => {
      const url = request.url();
      if (!/^(file:|data:|blob:|http:\/\/127\.0\.0\.1:)/.test(url)) this.strays.push(url);
    });
    page.on("pageerror", (/** @type {Error} */ error) => this.errors.push(String(error.stack ?? error)));
    page.on("console", (/** @type {any} */ message) => {
      if (message.type() === "error" && !/net::ERR_(CONNECTION|INCOMPLETE)/.test(message.text())) this.errors.push(message.text());
    });
    return page;
  }

  /** A page that shows this address. @param {string} address @param {object=} options */
  async open(address, options) {
    const page = await this.page(options);
    await page.goto(address);
    await page.waitForSelector("html[data-ready]");
    return page;
  }

  path(/** @type {string} */ name) {
    return join(this.folder, name);
  }

  /** Records a program; its trace. @param {string} name @param {number} frames @param {string[]} command @param {string[]=} options */
  record(name, frames, command, options = []) {
    const trace = this.path(`${name}.trace`);
    execFileSync(this.thimble, ["run", "-n", String(frames), "--deterministic", "--stats", "none", "--trace", trace, ...options, ...command],
      { stdio: ["ignore", "ignore", "inherit"], timeout: 30000, cwd: this.folder });
    return trace;
  }

  /** The address of a trace's replay. @param {string} trace @param {string[]=} options */
  replay(trace, ...options) {
    const file = `${trace}.html`;
    execFileSync(this.thimble, ["html", trace, "-o", file, ...options], { stdio: ["ignore", "ignore", "pipe"], timeout: 30000 });
    return pathToFileURL(file).href;
  }

  /** Serves a trace or a program; the printed address. @param {...string} args @returns {Promise<string>} */
  serve(...args) {
    const child = spawn(this.thimble, ["web", ...args], { stdio: ["ignore", "pipe", "inherit"], cwd: this.folder });
    this.children.push(child);
    return new Promise((resolve, reject) => {
      let text = "";
      child.stdout.on("data", (/** @type {Buffer} */ data) => {
        text += data;
        const address = /http:\/\/127\.0\.0\.1:\d+\/\S*/.exec(text);
        if (address && text.includes("\n")) resolve(address[0]);
      });
      child.on("exit", (status) => reject(new Error(`thimble web ended with ${status} before it said its address`)));
    });
  }
}

/** A line to a server that can be cut and joined again: what happens when a connection is lost. */
export class Line {
  /** @param {string} address of the server, with its token */
  static async join(address) {
    const line = new Line(address);
    await line.open(0);
    return line;
  }

  /** @param {string} address */
  constructor(address) {
    const url = new URL(address);
    this.server = { host: url.hostname, port: Number(url.port) };
    this.fragment = url.hash;
    this.sockets = new Set();
  }

  get address() {
    return `http://127.0.0.1:${this.port}/${this.fragment}`;
  }

  /** @param {number} port 0: any */
  open(port) {
    this.proxy = createServer((request, response) => {
      const headers = { ...request.headers, host: `${this.server.host}:${this.server.port}` };
      if (headers.origin) headers.origin = `http://${headers.host}`;
      const onward = httpRequest({ ...this.server, path: request.url, method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      response.on("close", () => onward.destroy());
      request.pipe(onward);
    });
    this.proxy.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    return new Promise((resolve) => this.proxy?.listen(port, "127.0.0.1", () => {
      this.port = /** @type {any} */ (this.proxy?.address()).port;
      resolve(undefined);
    }));
  }

  cut() {
    const closed = new Promise((resolve) => this.proxy?.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    return closed;
  }

  joinAgain() {
    return this.open(this.port ?? 0);
  }
}

/** The processor time that a process has used, in clock ticks. @param {number} pid */
export function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Presses a key and waits until what it led to is shown. @param {any} page @param {string} key */
export async function press(page, key) {
  const before = await stamp(page);
  await page.keyboard.press(key);
  await page.waitForFunction((/** @type {string} */ old) => document.documentElement.dataset.shown !== old, before);
}

/** @param {any} page @returns {Promise<string>} */
export function stamp(page) {
  return page.evaluate(() => document.documentElement.dataset.shown);
}

/** The step in the address. @param {any} page @returns {Promise<number>} */
export async function position(page) {
  return Number(/^#s=(\d+)$/.exec(await page.evaluate(() => location.hash))?.[1]);
}

/** @param {any} page @param {string} selector @returns {Promise<string>} */
export async function text(page, selector) {
  return (await page.textContent(selector)) ?? "";
}

/** The drawn SVG as text. @param {any} page @returns {Promise<string>} */
export function drawing(page) {
  return page.evaluate(() => document.querySelector("#picture svg")?.outerHTML ?? "");
}
