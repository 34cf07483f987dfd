// People do something: it is explained before it is done, and needs a reason.

import { Refusal, say } from "./api.js";
import { el } from "./dom.js";
import { actingAs } from "./session.js";
import { sentence } from "./words.js";

export const LONGEST_REASON = 500;

/**
 * @typedef {object} Deed what somebody is about to do
 * @property {string} title
 * @property {string} about what it is done to
 * @property {string} does what it does, for people
 * @property {string} done what is said once it is done
 * @property {string} [sure] what must be agreed to besides, where it cannot be undone by a slip
 * @property {string} where path of the API
 * @property {import("./dom.js").Child} [field] what else is asked for
 */

/** Explains it, asks for a reason, and does it. @param {Deed} deed @param {() => Promise<void>} after */
export function askForReason(deed, after) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
  const error = el("p", { class: "error", role: "alert" });
  const send = /** @type {HTMLButtonElement} */ (el("button", { class: deed.sure ? "danger solid" : "primary" }, deed.title));
  const form = formOf(deed, error, send);
  form.addEventListener("click", (event) => event.target instanceof Element && event.target.closest("[data-close]") && dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!(await said(deed.where, bodyOf(form), send, error))) return;
    dialog.close();
    tell(deed.done);
    await after();
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

/** @param {Deed} deed @param {HTMLElement} error @param {HTMLElement} send */
const formOf = (deed, error, send) =>
  /** @type {HTMLFormElement} */ (
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "dialog-title" }, deed.title),
      el("p", { class: "about" }, deed.about),
      el("p", {}, deed.does),
      deed.field,
      reasonField(),
      deed.sure && el("label", { class: "sure" }, el("input", { type: "checkbox", name: "sure", required: true }), deed.sure),
      error,
      el("div", { class: "acts" }, el("button", { type: "button", "data-close": true }, "Cancel"), send),
    )
  );

/** @param {HTMLFormElement} form */
function bodyOf(form) {
  const fields = new FormData(form);
  const stage = fields.get("stage");
  return { reason: oneLine(fields.get("reason")), ...(stage ? { stage } : {}) };
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
