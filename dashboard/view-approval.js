// Somebody is asked whether a stage may begin.

import { ask, path } from "./api.js";
import { el } from "./dom.js";
import { oneLine, reasonField, said, tell } from "./dialog.js";
import { about, address, bar, done, legend, notice, panelOf, pill, plural, time, titleOf } from "./parts.js";
import { has, me } from "./session.js";
import { either, exact } from "./words.js";

const FAILURES = 10;
const OVER = ["succeeded", "rolled-back", "superseded", "aborted"];

/** @type {import("./main.js").View} */
export const approval = {
  place: "rollouts",
  load: async ({ rollout: id }) => {
    const [rollout, failed] = await Promise.all([
      ask(path("rollouts", id), { targets: "0" }),
      ask(`${path("rollouts", id)}/targets`, { state: "failed", limit: FAILURES }),
    ]);
    return { rollout, failed: failed.targets };
  },
  every: () => 5_000,
  draw: ({ rollout, failed }, query) => {
    const stage = rollout.stages.find((/** @type {any} */ each) => each.name === query.stage);
    const gate = stage?.gates.find((/** @type {any} */ each) => each.name === query.gate);
    return {
      title: `Approve ${query.stage}`,
      body: [
        el(
          "p",
          { class: "crumb" },
          el("a", { href: address({}) }, "Rollouts"),
          " / ",
          el("a", { href: address({ rollout: rollout.id }) }, titleOf(rollout)),
        ),
        el(
          "div",
          { class: "two even" },
          gate
            ? question(rollout, stage, gate)
            : panelOf("There is no such gate", "The rollout has no gate of that name: look at its stages."),
          el(
            "div",
            {},
            el("section", {}, el("h2", {}, "Done so far"), el("ol", { class: "stages" }, rollout.stages.map(progress))),
            failures(rollout, failed),
          ),
        ),
      ],
    };
  },
  acts: {
    answer: async ({ query, data, element, again }) => {
      const button = /** @type {HTMLButtonElement} */ (element);
      const form = /** @type {HTMLFormElement} */ (button.form);
      const error = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
      const where = path("rollouts", data.rollout.id, "gates", query.stage, query.gate, button.value);
      if (await said(where, { reason: oneLine(new FormData(form).get("reason")) }, button, error)) {
        tell(button.value === "approve" ? "Approved." : "Rejected.");
        await again();
      }
    },
  },
};

/** @param {any} rollout @param {any} stage @param {any} gate */
function question(rollout, stage, gate) {
  const approvals = gate.verdicts.filter((/** @type {any} */ verdict) => verdict.approved).length;
  return el(
    "section",
    { class: "panel question" },
    el("div", { class: "card-head" }, el("h1", {}, `May ${stage.name} begin?`), pill(gate.state)),
    el("p", { class: "ask" }, el("b", {}, titleOf(rollout)), ` would go to ${plural(stage.total, "cluster")}.`),
    el("p", { class: "about" }, about(rollout)),
    el(
      "dl",
      { class: "facts" },
      el("dt", {}, "Asked"),
      el("dd", {}, either(gate.approvers)),
      el("dt", {}, "Approvals"),
      el("dd", {}, `${approvals} of ${gate.required}`),
      el("dt", {}, "Since"),
      el("dd", {}, time(gate.askedAt) || "not yet"),
      gate.expiresAt && [el("dt", {}, "Until"), el("dd", {}, time(gate.expiresAt), ` (${exact(gate.expiresAt)})`)],
    ),
    gate.verdicts.length > 0 && el("ul", { class: "verdicts" }, gate.verdicts.map(verdict)),
    answerable(rollout, stage, gate),
  );
}

/** @param {any} verdict */
const verdict = (verdict) =>
  el(
    "li",
    { "data-key": verdict.by },
    pill(verdict.approved ? "approved" : "rejected"),
    el("span", {}, el("b", {}, verdict.by), verdict.reason && `: ${verdict.reason}`),
    time(verdict.at),
  );

/** The form, or why there is nothing to answer. @param {any} rollout @param {any} stage @param {any} gate */
function answerable(rollout, stage, gate) {
  const why = closed(rollout, gate);
  if (why) return notice(gate.state === "approved" ? "good" : "quiet", why);
  return el(
    "form",
    { "data-submit": "answer", "data-keep": `${rollout.id} ${stage.name} ${gate.name}` },
    reasonField(),
    el("p", { class: "error", role: "alert" }),
    el(
      "div",
      { class: "acts" },
      el("button", { class: "primary", value: "approve" }, "Approve"),
      el("button", { class: "danger", value: "reject" }, "Reject"),
      el("span", { class: "hint" }, "A rejection aborts the rollout."),
    ),
  );
}

/** Why nobody, or not this person, is asked; "" where they are. @param {any} rollout @param {any} gate */
function closed(rollout, gate) {
  if (gate.type !== "approval") return `Nobody is asked here: the gate is of type ${gate.type}.`;
  if (gate.state === "approved") return "The gate is approved already.";
  if (gate.state === "rejected") return `The gate is rejected already: ${gate.reason}`;
  if (gate.state === "expired" || (gate.expiresAt && Date.parse(gate.expiresAt) < Date.now()))
    return "The gate has expired. Whoever resumes the rollout has it asked anew.";
  if (OVER.includes(rollout.state)) return `Nothing is asked any more: the rollout is ${rollout.state}.`;
  if (!gate.askedAt) return "The stage does not wait at this gate yet. This page shows when it does.";
  const mine = gate.verdicts.find((/** @type {any} */ each) => each.by.toLowerCase() === me?.name.toLowerCase());
  if (mine) return `You have ${mine.approved ? "approved" : "rejected"} already. More people are asked.`;
  if (!has(...gate.approvers)) return `You are not one of those asked${me ? `, ${me.name}` : ""}: ${either(gate.approvers)}.`;
  return "";
}

/** @param {any} stage */
const progress = (stage) =>
  el(
    "li",
    { class: `stage is-${stage.state}`, "data-key": stage.name },
    el("div", { class: "leg-head" }, el("h3", {}, stage.name), el("span", {}, `${done(stage)} of ${stage.total}`)),
    bar(stage.counts, stage.total),
    legend(stage.counts),
  );

/** @param {any} rollout @param {any[]} failed */
function failures(rollout, failed) {
  const all = rollout.stages.reduce((/** @type {number} */ sum, /** @type {any} */ stage) => sum + (stage.counts.failed ?? 0), 0);
  if (!failed.length) return el("section", {}, el("h2", {}, "Failures"), notice("good", "No cluster has failed."));
  return el(
    "section",
    {},
    el("h2", {}, `Failures (${all})`),
    el(
      "ul",
      { class: "failures" },
      failed.map((target) =>
        el("li", { "data-key": target.id }, el("b", {}, target.cluster), ` ${target.stage} `, el("span", { class: "why" }, target.reason)),
      ),
    ),
    all > failed.length && el("a", { href: address({ rollout: rollout.id, state: "failed" }) }, `All ${all} failed clusters`),
  );
}
