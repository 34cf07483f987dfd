// Which view is open, and keeping it up to date.

import { Refusal } from "./api.js";
import { el, show } from "./dom.js";
import { address, empty } from "./parts.js";
import { me, meet, signInAddress, signOutAddress } from "./session.js";
import { duration, sentence } from "./words.js";
import { approval } from "./view-approval.js";
import { fleet } from "./view-fleet.js";
import { rollout } from "./view-rollout.js";
import { rollouts } from "./view-rollouts.js";
import { undelivered } from "./view-undelivered.js";

/**
 * @typedef {Record<string, string>} Query what the address asks for
 * @typedef {{query: Query, data: any, element: HTMLElement, go: (query: Query) => void, again: () => Promise<void>}} Context
 * @typedef {object} View
 * @property {string} place which entry of the navigation it belongs to
 * @property {(query: Query) => Promise<any>} load
 * @property {(data: any, query: Query) => {title: string, body: import("./dom.js").Child[]}} draw
 * @property {(data: any) => number} every milliseconds until it is looked at again
 * @property {Record<string, (context: Context) => void | Promise<void>>} [acts] by the `data-do` of what was used
 */

const RETRY_MS = [3_000, 6_000, 12_000, 30_000];
const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const main = element("main");

/** @type {{view: View, query: Query, data: any, failures: number}} */
let now;
/** @type {View | undefined} whose page is shown; while another one loads, still the one before */
let shown;
let turn = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {Query} query @returns {View} */
function viewOf(query) {
  if (query.rollout) return query.gate ? approval : rollout;
  return { fleet, undelivered }[query.view] ?? rollouts;
}

/** Opens what the address names. */
async function open() {
  const query = Object.fromEntries(new URLSearchParams(location.search));
  now = { view: viewOf(query), query, data: null, failures: 0 };
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.getAttribute("data-view") === now.view.place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  complain();
  await again();
}

/** Looks again, and draws what is new. What is slower than the next look is not drawn. */
async function again() {
  clearTimeout(timer);
  const mine = ++turn;
  main.setAttribute("aria-busy", "true");
  try {
    if (!me) await meet();
    const data = await now.view.load(now.query);
    if (mine !== turn) return;
    now = { ...now, data, failures: 0 };
    complain();
    draw();
    wait(now.view.every(data));
  } catch (refusal) {
    if (mine !== turn) return;
    if (refusal instanceof Refusal) return refused(refusal);
    complain("This page has failed: load it anew.");
    throw refusal;
  } finally {
    if (mine === turn) main.removeAttribute("aria-busy");
  }
}

function draw() {
  const { title, body } = now.view.draw(now.data, now.query);
  document.title = `${title} · Sluice`;
  show(main, ...body);
  shown = now.view;
}

/** @param {number} milliseconds */
function wait(milliseconds) {
  clearTimeout(timer);
  element("live").textContent = `Looks again every ${duration(milliseconds / 1000)}`;
  if (!document.hidden) timer = setTimeout(again, milliseconds);
}

/** @param {Refusal} refusal */
function refused(refusal) {
  if (refusal.passes) {
    const pause = RETRY_MS[Math.min(now.failures++, RETRY_MS.length - 1)];
    complain(`${sentence(refusal.message)} Trying again in ${duration(pause / 1000)}.`);
    if (!now.data) show(main, empty("Not available just now", "This page fills as soon as Sluice answers."));
    return wait(pause);
  }
  element("live").textContent = "";
  if (now.data && refusal.status === 401)
    return complain("You are not signed in any more. ", el("a", { href: signInAddress() }, "Sign in again"));
  document.title = "Sluice";
  show(main, REFUSALS[refusal.status]?.(refusal.message) ?? panel("That did not work", refusal.message, home()));
}

/** @type {Record<number, (message: string) => Node>} */
const REFUSALS = {
  401: (message) =>
    panel("Sign in to see this", message, el("a", { class: "button primary", href: signInAddress() }, "Sign in with Microsoft Entra ID")),
  403: (message) =>
    panel(
      "You may not see this",
      message,
      me?.signsIn ? el("a", { class: "button", href: signOutAddress() }, "Sign in as somebody else") : home(),
    ),
  404: (message) => panel("Not found", message, home()),
};

const home = () => el("a", { class: "button", href: address({}) }, "All rollouts");

/** @param {string} title @param {string} message @param {Node} next */
const panel = (title, message, next) => el("section", { class: "panel" }, el("h1", {}, title), el("p", {}, sentence(message)), next);

/** Says what is wrong above everything else; nothing, where nothing is. @param {...import("./dom.js").Child} words */
function complain(...words) {
  const place = element("trouble");
  place.hidden = words.length === 0;
  show(place, ...words);
}

/** @param {Query} query Opens another part of the dashboard, without loading the page anew. */
function go(query) {
  history.pushState(null, "", address(query));
  void open();
}

/** Shows the list first to whoever comes for a part of it. */
function arrive() {
  if (now.query.state) document.getElementById("targets")?.scrollIntoView();
}

/** @param {Event} event */
function used(event) {
  const target = event.target instanceof Element ? event.target.closest("[data-do]") : null;
  if (!(target instanceof HTMLElement) || target.matches("select, input") === (event.type === "click")) return;
  perform(target.dataset.do, target);
}

/**
 * What is still shown of the view before, while this one loads, does nothing; but whoever filters need not wait for the filter before.
 * @param {string | undefined} act @param {HTMLElement} element
 */
function perform(act, element) {
  if (now.data || (act === "filter" && now.view === shown)) void now.view.acts?.[act ?? ""]?.({ query: now.query, data: now.data, element, go, again });
}

/** @param {MouseEvent} event */
function followed(event) {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.origin !== location.origin || link.pathname !== "/api/dashboard" || link.hash) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  scrollTo(0, 0);
  void open().then(() => {
    main.focus({ preventScroll: true });
    arrive();
  });
}

document.addEventListener("click", followed);
main.addEventListener("click", used);
main.addEventListener("change", used);
main.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter) perform(/** @type {HTMLFormElement} */ (event.target).dataset.submit, event.submitter);
});
addEventListener("popstate", () => void open());
document.addEventListener("visibilitychange", () => void (document.hidden ? clearTimeout(timer) : again()));

await open();
arrive();
