// The targets of a rollout: which of them, page by page.

import { ask, path } from "./api.js";
import { el } from "./dom.js";
import { Pages } from "./paging.js";
import { STATES, cell, choice, notice, pager, pill, revision, table, time } from "./parts.js";

const MOST = 50;
export const pages = new Pages();

/** @param {import("./main.js").Query} query */
export const askForTargets = (query) =>
  ask(`${path("rollouts", query.rollout)}/targets`, {
    stage: query.stage,
    state: query.state,
    limit: MOST,
    continuation: pages.at(JSON.stringify(query)).continuation,
  });

/** @param {any} rollout @param {any} page @param {import("./main.js").Query} query */
export function targets(rollout, page, query) {
  const names = rollout.stages.map((/** @type {any} */ stage) => stage.name);
  const shown = page.targets.length;
  return el(
    "section",
    {},
    el(
      "div",
      { class: "section-head" },
      el("h2", { id: "targets" }, "Targets"),
      el(
        "form",
        { class: "filters" },
        choice("stage", "Stage", names, query.stage ?? ""),
        choice("state", "State", STATES, query.state ?? ""),
      ),
    ),
    shown
      ? table(["Cluster", "Stage", "State", "Asked", "Seen", "Since"], page.targets.map(row), "Targets of this rollout")
      : notice("quiet", "No target is like that."),
    (shown > 0 || !pages.isFirst) &&
      pager({
        back: !pages.isFirst,
        more: Boolean(page.continuation),
        shown,
        first: pages.at(JSON.stringify(query)).first,
        of: matching(rollout, query),
      }),
  );
}

/** How many targets the filters leave, which the stages' counts tell. @param {any} rollout @param {import("./main.js").Query} query */
const matching = (rollout, query) =>
  rollout.stages
    .filter((/** @type {any} */ stage) => !query.stage || stage.name === query.stage)
    .reduce(
      (/** @type {number} */ sum, /** @type {any} */ stage) => sum + (query.state ? (stage.counts[query.state] ?? 0) : stage.total),
      0,
    );

/** @param {any} target */
const row = (target) =>
  el(
    "tr",
    { "data-key": target.id },
    cell(
      "Cluster",
      el("span", { class: "name" }, target.cluster),
      el("span", { class: "sub" }, target.configuration, target.reason && el("span", { class: "why" }, target.reason)),
    ),
    cell("Stage", target.stage),
    cell("State", pill(target.state)),
    cell("Asked", revision(target.askedRevision)),
    cell("Seen", revision(target.observedRevision)),
    cell("Since", time(target.appliedAt) || "–"),
  );
