// Asks the daemon. A token that it wants is asked of the reader once and kept for as long as the tab is open.

/** Where the daemon is, with / at the end: below any path, if a proxy has it so. */
export const PLACED = new URL("../../", import.meta.url);

// Of every daemon of this host its own.
const KEY = PLACED.pathname === "/" ? "placed.token" : `placed.token ${PLACED.pathname}`;
const PATIENCE = 10_000; // ms until an answer has to begin

/** What the tab keeps; only the page itself does, where the browser lets no site keep anything. */
const kept = {
  token: null,
  read() {
    try {
      return sessionStorage.getItem(KEY) ?? this.token;
    } catch {
      return this.token;
    }
  },
  write(token) {
    this.token = token;
    try {
      sessionStorage.setItem(KEY, token);
    } catch {
      // the reader is asked again with the next visit
    }
  },
};

/** Tokens may come in the address, behind #, which browsers tell nobody: /rooms/boardroom#token=… */
function tokenInAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    kept.write(given);
    history.replaceState(history.state, "", location.pathname + location.search);
  }
}

export class Refused extends Error {} // the token is missing or wrong
export class Missing extends Error {} // there is no such thing
export class Stranger extends Error {} // it was not the daemon that answered, but a proxy or what else has its address

export class Api {
  #clock;

  constructor(clock) {
    this.#clock = clock;
    tokenInAddress();
  }

  set token(token) {
    kept.write(token);
  }

  get hasToken() {
    return kept.read() !== null;
  }

  /** An answer that has begun, and is a good one. `path` is relative; `signal` also ends what follows of it. */
  async open(path, { headers = {}, signal, cache = "no-store" } = {}) {
    const given = kept.read();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), PATIENCE);
    const giveUp = () => late.abort();
    signal?.addEventListener("abort", giveUp);
    const sent = this.#clock.steady();
    try {
      const response = await fetch(new URL(path, PLACED), {
        cache,
        credentials: "same-origin",
        headers: given === null ? headers : { ...headers, Authorization: `Bearer ${given}` },
        signal: late.signal,
      });
      const told = Date.parse(response.headers.get("Placed-Time") ?? "");
      if (Number.isNaN(told)) throw new Stranger(`HTTP ${response.status}`); // every answer of the daemon has it
      if (cache === "no-store") this.#clock.sample(told, sent, this.#clock.steady());
      if (response.status === 401) throw new Refused();
      if (response.status === 404) throw new Missing();
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return response;
    } finally {
      clearTimeout(timer);
    }
  }

  async json(path, options = {}) {
    const response = await this.open(path, { ...options, signal: AbortSignal.timeout(2 * PATIENCE) });
    return response.json();
  }
}
