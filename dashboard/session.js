// Who is looking.

import { Refusal, ask } from "./api.js";
import { el, show } from "./dom.js";

const KEPT = "sluice.actingAs";
const LONGEST_NAME = 64;

/** @type {{name: string, signsIn: boolean, roles: string[], holdsEveryRole: boolean} | null} */
export let me = null;

/** Asks who is looking; nobody, where that is not known (yet). */
export async function meet() {
  try {
    me = await ask("me");
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    me = null;
  }
  show(/** @type {Element} */ (document.getElementById("who")), who());
}

/** @param {string[]} roles any of which is enough */
export const has = (...roles) => me !== null && (me.holdsEveryRole || roles.some((role) => me?.roles.includes(role)));

/** Where App Service signs people in, and brings them back to the page that they are on. */
export const signInAddress = () => `/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(here())}`;

export const signOutAddress = () => `/.auth/logout?post_logout_redirect_uri=${encodeURIComponent("/api/dashboard")}`;

/** This page's own address, without its host: nothing else is ever gone back to. */
const here = () => `/api/dashboard${location.search}`;

/** Who says so, where nobody signs in: what they call themselves. Headers take no other letters. */
export const actingAs = () =>
  me?.signsIn === false ? (localStorage.getItem(KEPT) ?? "").replace(/[^ -~]/g, "").slice(0, LONGEST_NAME) : "";

function who() {
  if (!me) return [];
  if (me.signsIn) return [el("span", { class: "who-name", title: me.name }, me.name), el("a", { href: signOutAddress() }, "Sign out")];
  const input = el("input", {
    id: "acting-as",
    maxlength: LONGEST_NAME,
    placeholder: "your name",
    autocomplete: "off",
    spellcheck: "false",
    "data-keep": "name",
  });
  /** @type {HTMLInputElement} */ (input).value = actingAs();
  input.addEventListener("input", () => localStorage.setItem(KEPT, /** @type {HTMLInputElement} */ (input).value));
  return [el("label", { for: "acting-as" }, "Acting as"), input];
}
