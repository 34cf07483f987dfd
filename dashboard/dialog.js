// People act on a rollout: each act is explained before it is done, and needs a reason.

import { Refusal, path, say } from "./api.js";
import { el } from "./dom.js";
import { titleOf } from "./parts.js";
import { actingAs } from "./session.js";
import { sentence } from "./words.js";

export const LONGEST_REASON = 500;

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
  const { title, does, done, sure } = ACTS[act];
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
  const error = el("p", { class: "error", role: "alert" });
  const send = /** @type {HTMLButtonElement} */ (el("button", { class: sure ? "danger solid" : "primary" }, title));
  const form = /** @type {HTMLFormElement} */ (
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "dialog-title" }, title),
      el("p", { class: "about" }, titleOf(rollout)),
      el("p", {}, does),
      act === "rollback" && stageField(rollout),
      reasonField(),
      sure && el("label", { class: "sure" }, el("input", { type: "checkbox", name: "sure", required: true }), sure),
      error,
      el("div", { class: "acts" }, el("button", { type: "button", "data-close": true }, "Cancel"), send),
    )
  );
  form.addEventListener("click", (event) => event.target instanceof Element && event.target.closest("[data-close]") && dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    const body = { reason: oneLine(fields.get("reason")), ...(fields.get("stage") ? { stage: fields.get("stage") } : {}) };
    if (await said(`${path("rollouts", rollout.id)}/${act}`, body, send, error)) {
      dialog.close();
      tell(done);
      await after();
    }
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

export const reasonField = () =>
  el(
    "label",
    { class: "field wide-field" },
    el("span", {}, "Reason"),
    el("textarea", {
      name: "reason",
      rows: "2",
      required: true,
      maxlength: LONGEST_REASON,
      autofocus: true,
      placeholder: "It stands in the audit trail",
    }),
  );

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

/** Reasons are kept on one line. @param {FormDataEntryValue | null} text */
export const oneLine = (text) =>
  String(text ?? "")
    .replace(/\s+/g, " ")
    .trim();

/**
 * Sends it once, and says where it was refused. @returns {Promise<boolean>} whether it was done
 * @param {string} where @param {object} body @param {HTMLButtonElement} button @param {HTMLElement} error
 */
export async function said(where, body, button, error) {
  button.disabled = true;
  error.textContent = "";
  try {
    await say(where, body, actingAs());
    return true;
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    error.textContent =
      refusal.status === 401 ? "You are not signed in any more: open this page anew to sign in." : sentence(refusal.message);
    return false;
  } finally {
    button.disabled = false;
  }
}

/** Says that something was done, for a while. @param {string} words */
export function tell(words) {
  const place = /** @type {HTMLElement} */ (document.getElementById("said"));
  place.textContent = words;
  setTimeout(() => {
    if (place.textContent === words) place.textContent = "";
  }, 6_000);
}
