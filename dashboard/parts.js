// What several views are made of.

import { el } from "./dom.js";
import { ago, branch, exact, plural, short } from "./words.js";

/** In the order in which a bar shows them: done first, then what went wrong, then what is to come. */
export const STATES = ["compliant", "rolled-back", "failed", "offline", "applied", "queued", "pending", "skipped", "superseded"];

/** The dashboard at what `query` names. @param {Record<string, string | undefined>} query */
export function address(query) {
  const given = Object.entries(query).filter(([, value]) => value);
  return `/api/dashboard${given.length ? `?${new URLSearchParams(/** @type {[string, string][]} */ (given))}` : ""}`;
}

/** @param {string} state @param {string} [words] */
export const pill = (state, words = state) => el("span", { class: `pill is-${state}` }, words);

/** @param {string | null | undefined} moment */
export const time = (moment) => moment && el("time", { datetime: moment, title: exact(moment) }, ago(moment));

/** @param {string} revision */
export const revision = (revision) => (revision ? el("code", { title: revision }, short(revision)) : el("span", { class: "none" }, "–"));

/**
 * A bar of counts.
 * @param {Record<string, number>} counts @param {number} total @param {string[]} order
 */
export function bar(counts, total, order = STATES) {
  const known = [...order, ...Object.keys(counts).filter((state) => !order.includes(state))];
  const parts = known.filter((state) => counts[state] > 0);
  const said = parts.map((state) => `${counts[state]} ${state}`).join(", ");
  return el(
    "div",
    { class: "bar", role: "img", "aria-label": total ? `${said} of ${total}` : "none" },
    known
      .filter((state) => state !== "pending")
      .map((state) =>
        el("span", {
          class: `part is-${state}`,
          "data-key": state,
          style: { width: `${total ? (100 * (counts[state] ?? 0)) / total : 0}%`, "min-width": counts[state] > 0 ? "4px" : "0" },
        }),
      ),
  );
}

/** @param {Record<string, number>} counts @param {(state: string) => string | null} link @param {string[]} order */
export function legend(counts, link = () => null, order = STATES) {
  const states = Object.keys(counts)
    .filter((state) => counts[state] > 0)
    .sort((one, other) => order.indexOf(one) - order.indexOf(other));
  return el(
    "ul",
    { class: "legend" },
    states.map((state) => {
      const said = [
        el("span", { class: `dot is-${state}`, "aria-hidden": "true" }),
        el("b", {}, counts[state].toLocaleString("en")),
        ` ${state}`,
      ];
      const to = link(state);
      return el("li", { "data-key": state }, to ? el("a", { href: to }, said) : said);
    }),
  );
}

/** How many of a stage have come to where they were to go. @param {any} stage */
export const done = (stage) => (stage.counts.compliant ?? 0) + (stage.counts["rolled-back"] ?? 0);

/** @param {any} rollout */
export function about(rollout) {
  return [
    el("span", { class: "route" }, rollout.route),
    el("span", {}, branch(rollout.ref), " @ ", revision(rollout.revision)),
    el("span", {}, rollout.source),
    rollout.author && el("span", {}, "by ", rollout.author),
  ];
}

/** @param {any} rollout */
export const titleOf = (rollout) => rollout.title || `${branch(rollout.ref)} at ${short(rollout.revision)}`;

/** @param {any} rollout The approval gates that wait for somebody. */
export const openGates = (rollout) =>
  ["running", "paused"].includes(rollout.state)
    ? rollout.stages.flatMap((/** @type {any} */ stage) =>
        stage.gates
          .filter((/** @type {any} */ gate) => gate.type === "approval" && gate.state === "waiting" && gate.askedAt)
          .map((/** @type {any} */ gate) => ({ stage: stage.name, gate: gate.name })),
      )
    : [];

/** @param {any} rollout */
export const reviews = (rollout) =>
  openGates(rollout).map((/** @type {any} */ { stage, gate }) =>
    el("a", { class: "button primary", href: address({ rollout: rollout.id, stage, gate }) }, `Review ${stage}`),
  );

/** @param {string} kind @param {...import("./dom.js").Child} words */
export const notice = (kind, ...words) => el("div", { class: `notice ${kind}` }, ...words);

/** @param {string} title @param {...import("./dom.js").Child} words */
export const panelOf = (title, ...words) => el("section", { class: "panel" }, el("h1", {}, title), el("p", {}, ...words));

/** @param {string} title @param {...import("./dom.js").Child} words */
export const empty = (title, ...words) => el("div", { class: "empty" }, el("h2", {}, title), el("p", {}, ...words));

/**
 * @param {string} name @param {string} label @param {string[]} options @param {string} chosen
 */
export function choice(name, label, options, chosen, any = "any") {
  const all = options.includes(chosen) || !chosen ? options : [...options, chosen];
  return el(
    "label",
    { class: "field" },
    el("span", {}, label),
    el(
      "select",
      { name, "data-do": "filter" },
      el("option", { value: "", selected: !chosen }, any),
      all.map((option) => el("option", { value: option, selected: option === chosen }, option)),
    ),
  );
}

/** @param {{back: boolean, more: boolean, shown: number, first: number, of?: number}} page */
export function pager({ back, more, shown, first, of }) {
  const said = shown
    ? `${first.toLocaleString("en")} to ${(first + shown - 1).toLocaleString("en")}${of === undefined ? "" : ` of ${of.toLocaleString("en")}`}`
    : "";
  return el(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    el("span", {}, said),
    el("button", { type: "button", "data-do": "back", disabled: !back }, "Previous"),
    el("button", { type: "button", "data-do": "more", disabled: !more }, "Next"),
  );
}

/** @param {string[]} heads @param {import("./dom.js").Child[]} rows @param {string} caption */
export const table = (heads, rows, caption) =>
  el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", { class: "unseen" }, caption),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el("tbody", {}, rows),
    ),
  );

/** @param {string} head @param {...import("./dom.js").Child} words */
export const cell = (head, ...words) => el("td", { "data-head": head }, ...words);

export { plural };
