// The app's API, as its own page asks it.

const BASE = "/api/dashboard/data/";
const LONGEST_MS = 30_000;

/** The app said no, or could not be reached (status 0). */
export class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Asking again later may help. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * @param {string} path below /api/dashboard/data/, each part encoded
 * @param {Record<string, string | number | undefined>} [query]
 */
export function ask(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return fetched(`${path}${given.length ? `?${search}` : ""}`, {});
}

/**
 * @param {string} path
 * @param {object} body
 * @param {string} actingAs who says so, where nobody signs in; "" = nobody
 */
export function say(path, body, actingAs) {
  const headers = { "Content-Type": "application/json", ...(actingAs && { "X-Sluice-Actor": actingAs }) };
  return fetched(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** @param {...string} parts */
export const path = (...parts) => parts.map(encodeURIComponent).join("/");

/** @param {string} address @param {RequestInit} options */
async function fetched(address, options) {
  let response;
  try {
    response = await fetch(BASE + address, { ...options, cache: "no-store", signal: AbortSignal.timeout(LONGEST_MS) });
  } catch {
    throw new Refusal(0, "Sluice cannot be reached.");
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Refusal(
    response.ok ? 500 : response.status,
    String(answer?.error ?? DEFAULTS[response.status] ?? `Sluice answered with ${response.status}.`),
  );
}

/** @type {Record<number, string>} */
const DEFAULTS = {
  401: "Sign in first.",
  403: "You may not see this.",
  404: "There is no such thing here.",
  500: "Something went wrong in Sluice: its log says what.",
};
