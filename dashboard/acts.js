// What people do to a rollout.

import { path } from "./api.js";
import { askForReason } from "./dialog.js";
import { el } from "./dom.js";
import { titleOf } from "./parts.js";

/** @type {Record<string, {title: string, does: string, done: string, sure?: string}>} */
const ACTS = {
  pause: { title: "Pause this rollout", does: "No more updates are sent. What Azure has already is still watched.", done: "Paused." },
  resume: {
    title: "Resume this rollout",
    does: "It goes on where it was: failures so far are accepted, and gates that expired are asked again.",
    done: "Resumed.",
  },
  retry: {
    title: "Retry what failed",
    does: "Every cluster that failed is written to again. A paused rollout goes on.",
    done: "Failed clusters are tried again.",
  },
  rollback: {
    title: "Roll back",
    does: "Every cluster that an update may have reached is set back to its own previous revision. Maintenance windows are not waited for.",
    done: "Rolling back.",
    sure: "Yes, set the clusters back",
  },
  abort: {
    title: "Abort this rollout",
    does: "It ends for good. Each cluster stays at the commit that it has.",
    done: "Aborted.",
    sure: "Yes, end it",
  },
};

/** @param {any} rollout @param {string} act @param {() => Promise<void>} after */
export function askForAct(rollout, act, after) {
  const where = `${path("rollouts", rollout.id)}/${act}`;
  askForReason({ ...ACTS[act], about: titleOf(rollout), where, field: act === "rollback" && stageField(rollout) }, after);
}

/** @param {any} rollout */
const stageField = (rollout) =>
  el(
    "label",
    { class: "field wide-field" },
    el("span", {}, "Stage"),
    el(
      "select",
      { name: "stage" },
      el("option", { value: "" }, "All that have begun"),
      rollout.stages.map((/** @type {any} */ stage) => el("option", { value: stage.name }, stage.name)),
    ),
  );
