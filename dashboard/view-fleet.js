// The whole fleet: how many clusters are in which state, and which ones.

import { ask } from "./api.js";
import { el } from "./dom.js";
import { Pages } from "./paging.js";
import { address, bar, cell, choice, empty, legend, notice, pager, pill, plural, revision, table, time } from "./parts.js";

const MOST = 50;
const FILTERS = ["compliance", "connectivity", "drift", "revision", "cluster"];
const COMPLIANCE = ["Compliant", "Non-Compliant", "Pending", "Suspended", "Unknown"];
const CONNECTIVITY = ["Connected", "Connecting", "Offline", "Expired", "Unknown"];
const pages = new Pages();

/** @param {import("./main.js").Query} query */
const wanted = (query) => Object.fromEntries(FILTERS.map((name) => [name, query[name] ?? ""]));

/** @type {import("./main.js").View} */
export const fleet = {
  place: "fleet",
  load: async (query) =>
    ask("fleet", { ...wanted(query), limit: MOST, continuation: pages.at(JSON.stringify(wanted(query))).continuation }),
  every: () => 30_000,
  draw: (data, query) => ({
    title: "Fleet",
    body: [
      el(
        "div",
        { class: "section-head" },
        el("h1", {}, "Fleet"),
        el("p", { class: "hint" }, data.sweptAt ? ["looked at ", time(data.sweptAt)] : "not looked at yet"),
      ),
      data.counts.clusters
        ? [tiles(data.counts), rows(data, query)]
        : empty("No clusters yet", "The fleet is looked at every few minutes."),
    ],
  }),
  acts: {
    filter: ({ query, element, go }) =>
      go({ ...query, [element.getAttribute("name") ?? ""]: /** @type {HTMLInputElement} */ (element).value.trim() }),
    more: ({ data, again }) => {
      pages.next(data.continuation, data.fleet.length);
      return again();
    },
    back: ({ again }) => {
      pages.back();
      return again();
    },
  },
};

/** @param {any} counts */
function tiles(counts) {
  const drifted = Object.values(counts.drift).reduce((sum, each) => sum + each, 0);
  return el(
    "div",
    { class: "tiles" },
    tile("Compliance", plural(counts.configurations, "configuration"), counts.compliance, counts.configurations, COMPLIANCE, "compliance"),
    tile("Connectivity", plural(counts.clusters, "cluster"), counts.connectivity, counts.clusters, CONNECTIVITY, "connectivity"),
    tile(
      "Drift",
      drifted ? `${drifted} drifted` : "none",
      drifted ? { ...counts.drift, none: counts.configurations - drifted } : { none: counts.configurations },
      counts.configurations,
      ["none"],
      "drift",
    ),
    versions(counts),
  );
}

/** @param {string} title @param {string} said @param {Record<string, number>} counts @param {number} total @param {string[]} order @param {string} filter */
const tile = (title, said, counts, total, order, filter) =>
  el(
    "section",
    { class: "tile", "data-key": title },
    el("h2", {}, title),
    el("p", { class: "big" }, said),
    bar(counts, total, order),
    legend(counts, (state) => address({ view: "fleet", [filter]: state }), order),
  );

/** @param {any} counts */
const versions = (counts) =>
  el(
    "section",
    { class: "tile", "data-key": "Flux" },
    el("h2", {}, "Flux"),
    el("p", { class: "big" }, counts.fluxUnsupported ? `${counts.fluxUnsupported} unsupported` : "all supported"),
    el(
      "ul",
      { class: "legend" },
      Object.entries(counts.fluxVersions)
        .sort()
        .map(([version, count]) =>
          el("li", { "data-key": version }, el("b", {}, count.toLocaleString("en")), ` ${version || "unknown version"}`),
        ),
    ),
    counts.policyNonCompliant > 0 && el("p", { class: "bad" }, `${plural(counts.policyNonCompliant, "cluster")} against a policy`),
  );

/** @param {any} data @param {import("./main.js").Query} query */
function rows(data, query) {
  const place = pages.at(JSON.stringify(wanted(query)));
  const known = (/** @type {string[]} */ names, /** @type {Record<string, number>} */ counts) => [
    ...new Set([...names, ...Object.keys(counts)]),
  ];
  return el(
    "section",
    {},
    el(
      "div",
      { class: "section-head" },
      el("h2", {}, "Clusters"),
      el(
        "form",
        { class: "filters" },
        choice("compliance", "Compliance", known(COMPLIANCE, data.counts.compliance), query.compliance ?? ""),
        choice("connectivity", "Connectivity", known(CONNECTIVITY, data.counts.connectivity), query.connectivity ?? ""),
        choice("drift", "Drift", known(["any", "none"], data.counts.drift), query.drift ?? "", "all"),
        text("revision", "Revision", "begins with", query.revision),
        text("cluster", "Cluster", "name", query.cluster),
      ),
    ),
    data.fleet.length
      ? table(
          ["Cluster", "Compliance", "Connectivity", "Runs", "Asked", "Drift", "Flux"],
          data.fleet.map(row),
          "Clusters and their configurations",
        )
      : notice("quiet", "No cluster is like that."),
    pager({ back: !pages.isFirst, more: Boolean(data.continuation), shown: data.fleet.length, first: place.first, of: data.matching }),
  );
}

/** @param {string} name @param {string} label @param {string} hint @param {string | undefined} value */
function text(name, label, hint, value) {
  const input = el("input", {
    name,
    placeholder: hint,
    maxlength: 200,
    autocomplete: "off",
    spellcheck: "false",
    "data-do": "filter",
    "data-keep": `${name} ${value ?? ""}`,
  });
  /** @type {HTMLInputElement} */ (input).value = value ?? "";
  return el("label", { class: "field" }, el("span", {}, label), input);
}

/** @param {any} member */
const row = (member) =>
  el(
    "tr",
    { "data-key": member.resourceId ?? member.clusterId },
    cell(
      "Cluster",
      el("span", { class: "name" }, member.cluster),
      el(
        "span",
        { class: "sub" },
        member.configuration ?? "no configuration",
        member.location && ` · ${member.location}`,
        member.message && member.compliance !== "Compliant" && el("span", { class: "why" }, member.message),
      ),
    ),
    cell("Compliance", member.compliance ? pill(member.compliance) : "–"),
    cell("Connectivity", member.connectivity ? pill(member.connectivity) : "–"),
    cell("Runs", revision(member.revision)),
    cell("Asked", revision(member.askedRevision)),
    cell(
      "Drift",
      member.drift
        ? [
            pill("drift", member.drift.kind),
            el("span", { class: "sub" }, member.drift.by && `by ${member.drift.by} `, time(member.drift.since)),
          ]
        : "–",
    ),
    cell(
      "Flux",
      member.fluxExtension
        ? [
            member.fluxExtension.version || member.fluxExtension.state,
            !member.fluxExtension.supported && el("span", { class: "sub bad" }, "unsupported"),
          ]
        : "–",
    ),
  );
