// Requests to the daemon. The reader enters the token once; it is kept until the tab is closed.

/** The base address of the daemon, with / at the end; a proxy may put it below any path. */
export const PLACED = new URL("../../", import.meta.url);

// Several daemons of one host have a key each.
const KEY = PLACED.pathname === "/" ? "placed.token" : `placed.token ${PLACED.pathname}`;
const PATIENCE = 10_000; // ms until a response must begin

// A panel's token is kept for its page alone, and after the browser was closed.
const PANEL = `placed.panel ${location.pathname}`;

/** A token in the browser's storage; only in this page if the browser blocks storage. */
class Kept {
  #key;
  #storage;
  #token = null;

  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  get token() {
    try {
      return this.#storage().getItem(this.#key) ?? this.#token;
    } catch {
      return this.#token;
    }
  }

  set token(token) {
    this.#token = token;
    try {
      if (token === null) this.#storage().removeItem(this.#key);
      else this.#storage().setItem(this.#key, token);
    } catch {
      // the reader enters the token again at the next visit
    }
  }
}

const kept = new Kept(() => sessionStorage, KEY);
const keptHere = new Kept(() => localStorage, PANEL);

/** Takes a value out of the address: after #, which browsers do not send, as in /rooms/boardroom#token=… */
export function takeFromAddress(name) {
  const given = new URLSearchParams(location.hash.slice(1)).get(name);
  if (given !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return given;
}

function tokenInAddress() {
  const given = takeFromAddress("token");
  if (given === null) return null;
  kept.token = given || null;
  keptHere.token = null;
  return given;
}

export class Refused extends Error {} // the token is missing or wrong
export class Missing extends Error {} // it does not exist
export class Stranger extends Error {} // the response is not from the daemon but, for example, from a proxy

export class Api {
  ticket = null; // with which a phone may check in, in place of a panel's token

  #clock;

  constructor(clock) {
    this.#clock = clock;
    this.wanted = tokenInAddress() === ""; // the reader wants to enter a token: #token
  }

  set token(token) {
    kept.token = token;
  }

  get hasToken() {
    return this.#token(false) !== null;
  }

  /** Whether the token was accepted as that of this panel before. */
  get isForPanel() {
    return keptHere.token !== null;
  }

  /** The token has turned out to be a panel's: keeps it after the browser is closed. */
  keepForPanel() {
    keptHere.token = this.#token(true);
  }

  #token(panel) {
    return panel ? (this.ticket ?? keptHere.token ?? kept.token) : (kept.token ?? keptHere.token);
  }

  /**
   * A successful response whose body has begun.
   *
   * @param path is relative to the daemon's address
   * @param panel whether it is for what the panel's token allows; otherwise it is for reading
   * @param open without a token
   * @param signal also ends the body
   */
  async open(path, { method, body, headers = {}, signal, cache = "no-store", panel = false, open = false } = {}) {
    const given = open ? null : this.#token(panel);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), PATIENCE);
    const giveUp = () => late.abort();
    signal?.addEventListener("abort", giveUp);
    const sent = this.#clock.steady();
    try {
      const response = await fetch(new URL(path, PLACED), {
        method,
        body,
        cache,
        credentials: "same-origin",
        headers: given === null ? headers : { ...headers, Authorization: `Bearer ${given}` },
        signal: late.signal,
      });
      const stated = Date.parse(response.headers.get("Placed-Time") ?? "");
      if (Number.isNaN(stated)) throw new Stranger(`HTTP ${response.status}`); // every response of the daemon has this header
      if (cache === "no-store") this.#clock.sample(stated, sent, this.#clock.steady());
      if (response.ok) return response;
      const Kind = { 401: Refused, 404: Missing }[response.status] ?? Error;
      throw Object.assign(new Kind(`HTTP ${response.status}`), { response });
    } finally {
      clearTimeout(timer);
    }
  }

  async json(path, options = {}) {
    const response = await this.open(path, { ...options, signal: AbortSignal.timeout(2 * PATIENCE) });
    return response.json();
  }
}

let dialog = null; // the module with the dialog for the token, which most pages never need

/** Asks the reader for the token; resolves when one was entered. Without the file the page tries again later. */
export async function tokenFor(api, words, text = null) {
  try {
    dialog ??= await import("./token.js");
    await dialog.askForToken(api, words, text);
  } catch {
    // the daemon cannot be reached
  }
}

/** Closes the dialog, since the daemon does not require a token any more. */
export function tokenAccepted() {
  dialog?.askNoMore();
}
