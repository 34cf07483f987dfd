// Every rollout, newest first.

import { ask } from "./api.js";
import { el } from "./dom.js";
import { Pages } from "./paging.js";
import { about, address, bar, done, empty, notice, pager, pill, reviews, time, titleOf } from "./parts.js";

const MOST = 20;
const MOVING = ["running", "rolling-back"];
const pages = new Pages();

/** @type {import("./main.js").View} */
export const rollouts = {
  place: "rollouts",
  load: async () => ask("rollouts", { limit: MOST, continuation: pages.at("rollouts").continuation }),
  every: (data) => (data.rollouts.some((/** @type {any} */ rollout) => MOVING.includes(rollout.state)) ? 2_500 : 15_000),
  draw: (data) => ({
    title: "Rollouts",
    body: [
      el("h1", {}, "Rollouts"),
      data.rollouts.length || !pages.isFirst
        ? el("ol", { class: "cards" }, data.rollouts.map(card))
        : empty("No rollouts yet", "A push that a route follows begins one."),
      (data.continuation || !pages.isFirst) &&
        pager({ back: !pages.isFirst, more: Boolean(data.continuation), shown: data.rollouts.length, first: pages.at("rollouts").first }),
    ],
  }),
  acts: {
    more: ({ data, again }) => {
      pages.next(data.continuation, data.rollouts.length);
      return again();
    },
    back: ({ again }) => {
      pages.back();
      return again();
    },
  },
};

/** @param {any} rollout */
function card(rollout) {
  const waits = MOVING.includes(rollout.state) && rollout.waitingFor;
  return el(
    "li",
    { class: "card", "data-key": rollout.id },
    el(
      "div",
      { class: "card-head" },
      el("h2", {}, el("a", { href: address({ rollout: rollout.id }) }, titleOf(rollout))),
      pill(rollout.state),
    ),
    el("p", { class: "about" }, about(rollout), el("span", {}, time(rollout.createdAt))),
    el(
      "div",
      { class: "track" },
      rollout.stages.map((/** @type {any} */ each) => stage(rollout, each)),
    ),
    waits && notice("waits", el("span", {}, "Waits for ", rollout.waitingFor), reviews(rollout)),
    !waits && rollout.reason && notice(rollout.state === "paused" ? "bad" : "quiet", el("span", {}, rollout.reason), reviews(rollout)),
  );
}

/** @param {any} rollout @param {any} stage */
function stage(rollout, stage) {
  const failed = stage.counts.failed ?? 0;
  return el(
    "div",
    { class: `leg is-${stage.state}`, "data-key": stage.name },
    el(
      "div",
      { class: "leg-head" },
      el("b", {}, stage.name),
      el(
        "span",
        {},
        `${done(stage)} of ${stage.total}`,
        failed > 0 && [
          " · ",
          el("a", { class: "bad", href: address({ rollout: rollout.id, stage: stage.name, state: "failed" }) }, `${failed} failed`),
        ],
      ),
    ),
    bar(stage.counts, stage.total),
  );
}
