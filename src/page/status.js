// Where the walker stands, as page_put_status() in wasm.c tells it. Types only.

/**
 * @typedef {object} Status
 * @property {number} position the event whose state is shown, 0: before the first
 * @property {number} events
 * @property {boolean} finished
 * @property {boolean} cut
 * @property {string} narration
 * @property {string} message
 * @property {string} question "": nothing is asked
 * @property {boolean} real_numbers
 * @property {number} right @property {number} asked predictions
 * @property {string} goal
 * @property {number=} pid @property {string=} kind @property {number=} instruction of the event, if there is one
 * @property {string=} advice
 * @property {number=} complaints @property {number=} first_complaint events that cannot follow those before them
 */

export {};
