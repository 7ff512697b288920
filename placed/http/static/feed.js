// Keeps rooms and connections up to date: from the event stream, or by polling while there is no stream.

import { Missing, Refused } from "./api.js";
import { EventParser } from "./stream.js";
import { readRoom } from "./room.js";

const SHORTEST = 1000; // ms before the next attempt, doubled with each, with jitter
const LONGEST = 30_000;
const SILENCE = 8000; // ms without a byte; the daemon sends one every 3 s
const SETTLED = 10_000; // ms after which a stream counts as a good one
const POLL = 4000; // ms between requests while there is no stream, with jitter
const NOTICE = 3000; // ms without a stream after which the page polls, and shows that there is no connection
const LOOK = 1000; // ms between checks of these times
const APART = 2000; // ms by which the daemon's clock may differ from the estimate
const FOR_EVER = 2 ** 31 - 1; // ms, the longest that timers support
const SYNC = 300_000; // ms between requests for the time

/** How long a page shows known states without data from the daemon, in ms: `http.offline_after`. */
function graceOf(page) {
  return 1000 * Number(page.documentElement.dataset.offlineAfter);
}

export class Feed {
  rooms = new Map(); // by id
  connections = new Map(); // health by name
  live = false; // whether the event stream is up
  since = null; // since when it is not, in steady ms
  missing = false; // the requested room does not exist

  #api;
  #clock;
  #room;
  #listener;
  #position = null;
  #attempt = 0;
  #heard = 0; // when the last byte of the stream arrived
  #current = -Infinity; // the last moment at which all states here were the daemon's latest
  #grace;
  #begun;
  #asked = -Infinity;
  #asking = false;
  #synced = 0;
  #late = 0; // ms by which the stream is delayed
  #doubted = false; // the delay is being measured
  #abort = null;
  #wake = () => {};

  /**
   * @param listener {changed(ids), restructured(), health(), link(), refused(), accepted()}: callbacks for changes
   * @param room follow this one only; all if null
   * @param grace ms for which known states are shown without data from the daemon
   */
  constructor(api, clock, listener, room = null, grace = graceOf(document)) {
    this.#api = api;
    this.#clock = clock;
    this.#listener = listener;
    this.#room = room;
    this.#grace = grace;
    this.#begun = clock.steady();
  }

  /** Whether data from the daemon arrived recently. Without it changes are not noticed, so no state is shown. */
  get connected() {
    return this.heldFor > 0;
  }

  /** Ms for which the states here stay valid if no more data arrives. */
  get heldFor() {
    return this.#current + this.#grace - this.#clock.steady();
  }

  /** Whether the page should show that there is no connection. */
  get lost() {
    if (this.live) return false;
    const steady = this.#clock.steady();
    if (this.#current === -Infinity) return this.since !== null || steady - this.#begun > NOTICE; // never connected
    return this.since !== null && steady - this.since > NOTICE && steady - this.#current > POLL + NOTICE;
  }

  get epoch() {
    return this.#position === null ? null : Number(this.#position.split("-")[0]);
  }

  /** Follows the daemon for as long as the page is open. */
  async run() {
    this.#wait();
    addEventListener("online", () => this.hurry());
    setInterval(() => this.#look(), LOOK);
    for (;;) {
      try {
        if (this.#position === null) await this.#load();
        await this.#follow();
      } catch (error) {
        if (error instanceof Refused) await Promise.race([this.#listener.refused(), this.#wait(FOR_EVER)]);
      }
      this.#setLive(false);
      await this.#wait(this.#pause());
    }
  }

  /** Ends the current pause, and requests the time. */
  hurry() {
    this.#wake();
    this.#sync();
  }

  /** How long to wait before the next attempt. */
  #pause() {
    const whole = Math.min(LONGEST, SHORTEST * 2 ** this.#attempt++);
    return whole * (0.5 + Math.random() / 2);
  }

  #wait(ms = 0) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #follow() {
    this.#abort = new AbortController();
    this.#heard = this.#clock.steady();
    const query = this.#room === null ? "" : `?room=${this.#room}`;
    const response = await this.#api.open(`api/v1/events${query}`, {
      headers: this.#position === null ? {} : { "Last-Event-ID": this.#position },
      signal: this.#abort.signal,
    });
    const begun = this.#clock.steady();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new Error("no event stream");
    this.#listener.accepted();
    const parser = new EventParser();
    this.#late = 0;
    this.#doubted = false;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const steady = (this.#heard = this.#clock.steady());
      if (steady - begun > SETTLED) this.#attempt = 0;
      const before = parser.comment;
      const events = parser.take(value);
      if (parser.comment !== before) this.#compare(parser.comment, steady);
      const complete = parser.comment !== null; // a comment follows all earlier changes, so none is missing
      this.#learnAll(events, complete && !this.#doubted ? steady - this.#late : -Infinity);
      if (complete) this.#setLive(this.#late === 0); // a delayed stream is not enough: the page polls as well
    }
  }

  /** @param current the moment at which the daemon had nothing else to send */
  #learnAll(events, current) {
    this.#current = Math.max(this.#current, current);
    const changed = new Set();
    let restructured = false;
    let health = false;
    let removed = false;
    for (const { event, id, data } of events) {
      const document = JSON.parse(data);
      if (event === "snapshot") {
        const named = new Set(document.rooms);
        const restarted = document.epoch !== this.epoch;
        for (const known of [...this.rooms.keys()]) {
          if (restarted || !named.has(known)) this.rooms.delete(known);
        }
        this.#setMissing(this.#room !== null && !named.has(this.#room));
        this.#position = `${document.epoch}-0`;
        restructured = true;
      } else if (event === "state") {
        const known = this.#learn(document);
        if (known === "new") restructured = true;
        if (known !== "old") changed.add(document.room);
      } else if (event === "removed") {
        restructured = this.rooms.delete(document.room) || restructured;
        this.#setMissing(document.room === this.#room || this.missing);
        removed = true;
      } else if (event === "health") {
        this.connections.set(document.name, document);
        health = true;
      }
      if (id !== null) this.#position = id;
    }
    if (restructured) this.#listener.restructured();
    else if (changed.size > 0) this.#listener.changed(changed);
    if (health) this.#listener.health();
    if (removed) this.#loadHealth().catch(() => {}); // its connection may be gone as well
  }

  /** Applies the document of a room, unless a newer one is known. */
  #learn(document) {
    const known = this.rooms.get(document.room);
    if (known !== undefined && known.epoch === document.epoch && known.seq >= document.seq) return "old";
    const room = readRoom(document);
    this.rooms.set(document.room, room);
    this.#setMissing(false);
    const moved = known === undefined || known.place !== room.place || known.name !== room.name;
    return moved ? "new" : "changed";
  }

  /**
   * Compares the time in a keep-alive comment with the estimate; if they differ, requests the daemon's time.
   *
   * Either the daemon's clock was set, or a proxy delays the stream.
   */
  async #compare(comment, arrived) {
    const stated = Date.parse(/\d{4}-\S+Z/.exec(comment)?.[0] ?? "");
    const stream = this.#abort;
    const late = () => this.#clock.now() - (this.#clock.steady() - arrived) - stated;
    if (!(Math.abs(late()) > APART)) {
      this.#late = 0;
      return;
    }
    this.#doubted = true;
    await this.#sync();
    if (this.#abort !== stream) return;
    this.#late = late() > APART ? late() : 0;
    this.#doubted = false;
    this.#learnAll([], arrived - this.#late);
  }

  /** Requests all rooms. */
  async #load() {
    const asked = (this.#asked = this.#clock.steady());
    const one = this.#room !== null;
    let listing;
    try {
      listing = await this.#api.json(one ? `api/v1/rooms/${this.#room}` : "api/v1/rooms");
    } catch (error) {
      if (!(error instanceof Missing) || !one) throw error;
      this.#current = Math.max(this.#current, asked);
      this.#listener.accepted();
      this.rooms.clear();
      this.#setMissing(true);
      this.#listener.restructured();
      return;
    }
    this.#listener.accepted();
    const rooms = one ? [listing] : listing.rooms;
    this.#current = Math.max(this.#current, asked);
    if (this.epoch !== null && this.epoch !== listing.epoch) this.rooms.clear();
    const named = new Set(rooms.map((room) => room.room));
    for (const [id, room] of this.rooms) {
      if (!named.has(id) && room.seq <= listing.seq) this.rooms.delete(id);
    }
    for (const room of rooms) this.#learn(room);
    if (!this.live) this.#position = `${listing.epoch}-${listing.seq}`;
    this.#listener.restructured();
  }

  async #loadHealth() {
    if (this.#room !== null) return;
    const { connections } = await this.#api.json("api/v1/connections");
    this.connections = new Map(connections.map((health) => [health.name, health]));
    this.#listener.health();
  }

  /** Called every `LOOK` ms: ends a silent stream, and polls while there is none. */
  #look() {
    const steady = this.#clock.steady();
    if (steady - this.#heard > SILENCE) {
      this.#heard = steady;
      this.#abort?.abort();
    }
    if (!this.live && this.since !== null && steady - this.#asked > POLL * (0.75 + Math.random() / 4)) this.#ask();
    if (this.live && steady - this.#synced > SYNC) this.#sync();
    // The page must react at that moment, not at the next check.
    if (this.connected && this.heldFor < LOOK) setTimeout(() => this.connected || this.#listener.link(), this.heldFor + 5);
  }

  /** Polls while there is no stream; one request at a time, since more would not help if one hangs. */
  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      await this.#load();
      await this.#loadHealth();
      if (!this.live) this.#wake(); // the daemon answers: try the stream again
    } catch (error) {
      if (error instanceof Refused) this.#wake(); // the reader is asked for a token; other errors: try again later
    } finally {
      this.#asking = false;
    }
  }

  #sync() {
    this.#synced = this.#clock.steady();
    return this.#api.open("healthz").then((response) => response.text()).catch(() => {});
  }

  #setLive(live) {
    if (this.live === live && (live || this.since !== null)) return;
    this.live = live;
    this.since = live ? null : this.#clock.steady();
    this.#listener.link();
  }

  #setMissing(missing) {
    this.missing = missing;
  }
}
