// How things are said.

const SHORT = 12;

/** A revision as people know it: the beginning of a hash, a tag as it is. @param {string} revision */
export function short(revision) {
  const hash = /^(?:.*[@/])?(?:(sha256:)|sha1:)?([0-9a-f]{40,64})$/.exec(revision ?? "");
  return hash ? `${hash[1] ?? ""}${hash[2].slice(0, SHORT)}` : cut(revision ?? "", 40);
}

/** @param {string} text @param {number} most */
export const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** @param {string} ref */
export const branch = (ref) => (ref ?? "").replace(/^refs\/(heads|tags)\//, "");

/** @param {number} count @param {string} one @param {string} [many] */
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

const STEPS = /** @type {const} */ ([
  [60, "s"],
  [60, "min"],
  [24, "h"],
  [Infinity, "d"],
]);

/** @param {number} seconds */
export function duration(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  for (const [size, unit] of STEPS) {
    if (rest < size) return `${rest} ${unit}`;
    rest = Math.floor(rest / size);
  }
  return "";
}

/** @param {string} moment ISO 8601 */
export function ago(moment) {
  const seconds = (Date.now() - Date.parse(moment)) / 1000;
  if (seconds < -5) return `in ${duration(-seconds)}`;
  return seconds < 10 ? "just now" : `${duration(seconds)} ago`;
}

/** @param {string} moment */
export const exact = (moment) => new Date(moment).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** @param {string} words */
export const sentence = (words) => `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;

/** An event's kind, as a heading. @param {string} kind */
export const heading = (kind) => kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll(/[.-]/g, " ");

/** @param {string[]} words */
export const either = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : (words[0] ?? ""));
