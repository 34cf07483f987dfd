// One rollout: what it does, how far it is, which targets it has, what happened, and what may be done.

import { ask, path } from "./api.js";
import { el } from "./dom.js";
import { askForAct } from "./acts.js";
import { about, address, bar, done, legend, notice, pill, plural, reviews, time, titleOf } from "./parts.js";
import { has } from "./session.js";
import { askForTargets, pages, targets } from "./targets.js";
import { duration, heading } from "./words.js";

const MOVING = ["running", "rolling-back"];
const ACTS = { pause: "Pause", resume: "Resume", retry: "Retry failed", rollback: "Roll back", abort: "Abort" };

/** @type {import("./main.js").View} */
export const rollout = {
  place: "rollouts",
  load: async (query) => {
    const [one, page] = await Promise.all([ask(path("rollouts", query.rollout), { targets: "0" }), askForTargets(query)]);
    return { rollout: one, page };
  },
  every: ({ rollout }) => (MOVING.includes(rollout.state) ? 2_500 : 15_000),
  draw: ({ rollout, page }, query) => ({
    title: titleOf(rollout),
    body: [
      el("p", { class: "crumb" }, el("a", { href: address({}) }, "Rollouts")),
      head(rollout),
      el("div", { class: "two" }, el("div", {}, stages(rollout), targets(rollout, page, query)), el("aside", {}, timeline(rollout.events))),
    ],
  }),
  acts: {
    act: ({ data, element, again }) => askForAct(data.rollout, element.dataset.act ?? "", again),
    filter: ({ query, element, go }) =>
      go({ ...query, [element.getAttribute("name") ?? ""]: /** @type {HTMLSelectElement} */ (element).value }),
    more: ({ data, again }) => {
      pages.next(data.page.continuation, data.page.targets.length);
      return again();
    },
    back: ({ again }) => {
      pages.back();
      return again();
    },
  },
};

/** @param {any} rollout */
function head(rollout) {
  const waits = MOVING.includes(rollout.state) && rollout.waitingFor;
  return el(
    "section",
    { class: "head" },
    el("div", { class: "card-head" }, el("h1", {}, titleOf(rollout)), pill(rollout.state)),
    el(
      "p",
      { class: "about" },
      about(rollout),
      el("span", {}, "began ", time(rollout.createdAt)),
      rollout.action !== "pin" && el("span", {}, rollout.action),
      rollout.unstaged > 0 && el("span", {}, `${rollout.unstaged} in no stage`),
    ),
    waits && notice("waits", el("span", {}, "Waits for ", rollout.waitingFor), reviews(rollout)),
    !waits && rollout.reason && notice(rollout.state === "paused" ? "bad" : "quiet", el("span", {}, rollout.reason), reviews(rollout)),
    rollout.supersededBy && notice("quiet", el("a", { href: address({ rollout: rollout.supersededBy }) }, "The newer rollout")),
    el(
      "div",
      { class: "acts" },
      has("Operator") &&
        Object.entries(ACTS)
          .filter(([act]) => rollout.acts.includes(act))
          .map(([act, words]) =>
            el(
              "button",
              {
                type: "button",
                class: ["abort", "rollback"].includes(act) ? "danger" : null,
                "data-do": "act",
                "data-act": act,
                "data-key": act,
              },
              words,
            ),
          ),
    ),
  );
}

/** @param {any} rollout */
const stages = (rollout) =>
  el(
    "section",
    {},
    el("h2", {}, "Stages"),
    el(
      "ol",
      { class: "stages" },
      rollout.stages.map((/** @type {any} */ stage) =>
        el(
          "li",
          { class: `stage is-${stage.state}`, "data-key": stage.name },
          el("div", { class: "leg-head" }, el("h3", {}, stage.name), el("span", {}, `${done(stage)} of ${stage.total}`)),
          bar(stage.counts, stage.total),
          legend(stage.counts, (state) => address({ rollout: rollout.id, stage: stage.name, state })),
          el("p", { class: "rules" }, rules(stage)),
          stage.gates.length > 0 &&
            el(
              "ul",
              { class: "gates" },
              stage.gates.map((/** @type {any} */ gate) => gateLine(rollout, stage, gate)),
            ),
        ),
      ),
    ),
  );

/** @type {Record<string, string>} */
const FAILING = { pause: "pauses", rollback: "rolls back", continue: "goes on" };

/** @param {any} stage */
function rules({ rules, openedAt, closedAt }) {
  const said = [
    `${rules.maxConcurrency} at a time`,
    `${FAILING[rules.onFailure] ?? rules.onFailure} at more than ${plural(rules.maxFailures, "failure")}`,
  ];
  if (rules.bakeSeconds) said.push(`bakes ${duration(rules.bakeSeconds)}`);
  if (rules.afterWaitSeconds) said.push(`${duration(rules.afterWaitSeconds)} wait after it`);
  if (openedAt && closedAt) said.push(`took ${duration((Date.parse(closedAt) - Date.parse(openedAt)) / 1000)}`);
  return said.join(" · ");
}

/** @param {any} rollout @param {any} stage @param {any} gate */
const gateLine = (rollout, stage, gate) =>
  el(
    "li",
    { "data-key": gate.name },
    pill(gate.state),
    el(
      "span",
      {},
      gate.type === "approval"
        ? el("a", { href: address({ rollout: rollout.id, stage: stage.name, gate: gate.name }) }, gateName(gate))
        : gateName(gate),
      gate.type === "approval" && ` · ${gate.verdicts.filter((/** @type {any} */ verdict) => verdict.approved).length} of ${gate.required}`,
      gate.reason && ` · ${gate.reason}`,
    ),
  );

/** @param {any} gate */
const gateName = (gate) => (gate.name === gate.type ? gate.type : `${gate.type} ${gate.name}`);

/** @param {any[]} events */
const timeline = (events) =>
  el(
    "section",
    { class: "timeline" },
    el("h2", {}, "What happened"),
    el(
      "ol",
      {},
      [...events]
        .reverse()
        .map((event, index) =>
          el(
            "li",
            { class: `is-${event.severity === "error" ? "error" : event.kind.split(".").at(-1)}`, "data-key": `${events.length - index}` },
            el("b", {}, heading(event.kind)),
            " ",
            time(event.at),
            el("p", {}, event.summary),
          ),
        ),
    ),
  );
