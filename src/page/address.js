// The step in the address: #s=214.

export class Address {
  /** @param {(n: number) => void} go when somebody changes the address */
  constructor(go) {
    this.shown = -1;
    addEventListener("hashchange", () => {
      const step = this.step();
      if (step !== null && step !== this.shown) go(step);
    });
  }

  /** The step that the address names, or null. */
  step() {
    const match = /^#s=(\d{1,15})$/.exec(location.hash.replace(/^#&/, "#"));
    return match ? Number(match[1]) : null;
  }

  show(/** @type {number} */ n) {
    if (n === this.shown) return;
    this.shown = n;
    history.replaceState(null, "", `#s=${n}`);
  }
}
