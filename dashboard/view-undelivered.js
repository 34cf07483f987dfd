// Messages that no channel took.

import { Refusal, ask, path } from "./api.js";
import { el } from "./dom.js";
import { askForReason } from "./dialog.js";
import { Pages } from "./paging.js";
import { cell, empty, notice, pager, table, time } from "./parts.js";
import { has } from "./session.js";

const MOST = 50;
const pages = new Pages();

/** @type {import("./main.js").View} */
export const undelivered = {
  place: "undelivered",
  load: async () => {
    try {
      return await ask("notifications", { state: "failed", limit: MOST, continuation: pages.at("failed").continuation });
    } catch (refusal) {
      if (refusal instanceof Refusal && refusal.status === 404) return null;
      throw refusal;
    }
  },
  every: () => 30_000,
  draw: (data) => ({
    title: "Undelivered",
    body: [el("h1", {}, "Undelivered messages"), data ? list(data) : empty("Not available", "This version of Sluice does not list them.")],
  }),
  acts: {
    resend: ({ data, element, again }) => {
      const one = data.notifications.find((/** @type {any} */ each) => each.id === element.dataset.id);
      const does = "It is tried again at once, and then for another day.";
      const where = path("notifications", one.channel, one.id, "resend");
      askForReason({ title: "Send again", about: one.titles.join(" · "), does, done: "On its way again.", where }, again);
    },
    more: ({ data, again }) => {
      pages.next(data.continuation, data.notifications.length);
      return again();
    },
    back: ({ again }) => {
      pages.back();
      return again();
    },
  },
};

/** @param {any} data */
function list({ notifications, continuation }) {
  if (!notifications.length && pages.isFirst)
    return empty("Nothing is undelivered", "Every message has reached its channel, or is still being tried.");
  return el(
    "section",
    { class: "below" },
    notice("quiet", "Each was tried for a day, and given up. What it says is still true: read it here, mend the channel, send it again."),
    table(
      ["Message", "Channel", "Began", "Attempts", "What the channel said", ""],
      notifications.map(row),
      "Messages that were not delivered",
    ),
    pager({ back: !pages.isFirst, more: Boolean(continuation), shown: notifications.length, first: pages.at("failed").first }),
  );
}

/** @param {any} one */
const row = (one) =>
  el(
    "tr",
    { "data-key": one.id },
    cell(
      "Message",
      el(
        "ul",
        { class: "plain" },
        one.titles.map((/** @type {string} */ title) => el("li", {}, title)),
      ),
    ),
    cell("Channel", el("span", { class: "name" }, one.provider), one.fallback && el("span", { class: "sub" }, `then to ${one.fallback}`)),
    cell("Began", time(one.createdAt)),
    cell("Attempts", one.attempts),
    cell("What the channel said", el("span", { class: "why" }, one.error)),
    cell("", has("Operator") && el("button", { type: "button", "data-do": "resend", "data-id": one.id }, "Send again")),
  );
