// The kinds of faults: their words, and their colours (Okabe-Ito, told apart by most people; every chart names
// them besides).

/** @type {Record<string, {word: string, colour: string, dash: string}>} */
export const FAULT_KINDS = {
  zero_fill: { word: "zero fill", colour: "#009e73", dash: "" },
  file: { word: "file", colour: "#0072b2", dash: "6 3" },
  swap_in: { word: "swap in", colour: "#d55e00", dash: "2 2" },
  cow: { word: "copy on write", colour: "#cc79a7", dash: "8 3 2 3" },
  protection: { word: "protection", colour: "#e69f00", dash: "4 4" },
  failed: { word: "failed", colour: "#b00020", dash: "1 3" },
};

/** Colours of processes, in the order of their appearance. */
export const PROCESS_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#808000"];
export const DASHES = ["", "6 3", "2 2", "8 3 2 3", "4 4", "1 3", "10 4", "3 1"];

/** @param {string} kind */
export function faultKind(kind) {
  return FAULT_KINDS[kind.replaceAll("-", "_")] ?? { word: kind.replaceAll("_", " "), colour: "#777777", dash: "" };
}
