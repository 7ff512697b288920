// Requests to the daemon. The reader enters the token once; it is kept until the tab is closed.

/** The base address of the daemon, with / at the end; a proxy may put it below any path. */
export const PLACED = new URL("../../", import.meta.url);

// Several daemons of one host have a key each.
const KEY = PLACED.pathname === "/" ? "placed.token" : `placed.token ${PLACED.pathname}`;
const PATIENCE = 10_000; // ms until a response must begin

/** The token in the tab's storage; only in this page if the browser blocks storage. */
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
      // the reader enters the token again at the next visit
    }
  },
};

/** A token can be in the address, after #, which browsers do not send: /rooms/boardroom#token=… */
function tokenInAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    kept.write(given);
    history.replaceState(history.state, "", location.pathname + location.search);
  }
}

export class Refused extends Error {} // the token is missing or wrong
export class Missing extends Error {} // it does not exist
export class Stranger extends Error {} // the response is not from the daemon but, for example, from a proxy

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

  /** A successful response whose body has begun. `path` is relative; `signal` also ends the body. */
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
      const stated = Date.parse(response.headers.get("Placed-Time") ?? "");
      if (Number.isNaN(stated)) throw new Stranger(`HTTP ${response.status}`); // every response of the daemon has this header
      if (cache === "no-store") this.#clock.sample(stated, sent, this.#clock.steady());
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
