// Keeps rooms and connections as the daemon tells them: by its events, and by asking where these do not come.

import { Missing, Refused } from "./api.js";
import { EventParser } from "./stream.js";
import { readRoom } from "./room.js";

const SHORTEST = 1000; // ms before the next attempt, doubled with each, with jitter
const LONGEST = 30_000;
const SILENCE = 8000; // ms without a byte; the daemon sends one every 3 s
const SETTLED = 10_000; // ms after which a stream counts as a good one
const POLL = 4000; // ms between questions while there is no stream, with jitter
const NOTICE = 3000; // ms without a stream after which the page asks, and says that there is none
const LOOK = 1000; // ms between looks at all that
const APART = 2000; // ms by which the daemon's clock may differ from what is believed of it
const FOR_EVER = 2 ** 31 - 1; // ms, as far as timers go
const SYNC = 300_000; // ms between questions for the time

/** How long a page goes on showing what it knows without a word of the daemon, in ms: `http.offline_after`. */
function graceOf(page) {
  return 1000 * Number(page.documentElement.dataset.offlineAfter);
}

export class Feed {
  rooms = new Map(); // by id
  connections = new Map(); // health by name
  live = false; // whether events come
  since = null; // steady ms since when they do not
  missing = false; // the room that was asked for does not exist

  #api;
  #clock;
  #room;
  #listener;
  #position = null;
  #attempt = 0;
  #heard = 0; // a byte of the stream
  #current = -Infinity; // at this moment all that is known here was true for the daemon
  #grace;
  #begun;
  #asked = -Infinity;
  #asking = false;
  #synced = 0;
  #late = 0; // ms by which what the stream brings is old when it comes
  #doubted = false; // that is being found out
  #abort = null;
  #wake = () => {};

  /**
   * @param listener {changed(ids), restructured(), health(), link(), refused(), accepted()}: what is new
   * @param room follow this one only; all if null
   * @param grace ms for which what is known is believed without a word of the daemon
   */
  constructor(api, clock, listener, room = null, grace = graceOf(document)) {
    this.#api = api;
    this.#clock = clock;
    this.#listener = listener;
    this.#room = room;
    this.#grace = grace;
    this.#begun = clock.steady();
  }

  /** Whether the daemon was heard recently. Without that nothing here may be believed: changes are not noticed. */
  get connected() {
    return this.heldFor > 0;
  }

  /** Ms for which what is known here may be believed, should nothing be heard any more. */
  get heldFor() {
    return this.#current + this.#grace - this.#clock.steady();
  }

  /** Whether the page should show that there is no connection. */
  get lost() {
    if (this.live) return false;
    const steady = this.#clock.steady();
    if (this.#current === -Infinity) return this.since !== null || steady - this.#begun > NOTICE; // never there
    return this.since !== null && steady - this.since > NOTICE && steady - this.#current > POLL + NOTICE;
  }

  get epoch() {
    return this.#position === null ? null : Number(this.#position.split("-")[0]);
  }

  /** Follows for as long as the page is there. */
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

  /** Tries at once what else would be tried later, and asks for the time. */
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
      const complete = parser.comment !== null; // what changed until now has come: a comment follows it
      this.#learnAll(events, complete && !this.#doubted ? steady - this.#late : -Infinity);
      if (complete) this.#setLive(this.#late === 0); // else it is asked, too
    }
  }

  /** @param current at this moment there was nothing else to send */
  #learnAll(events, current) {
    this.#current = Math.max(this.#current, current);
    const changed = new Set();
    let restructured = false;
    let health = false;
    for (const { event, id, data } of events) {
      const document = JSON.parse(data);
      if (event === "snapshot") {
        const named = new Set(document.rooms);
        const anew = document.epoch !== this.epoch;
        for (const known of [...this.rooms.keys()]) {
          if (anew || !named.has(known)) this.rooms.delete(known);
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
      } else if (event === "health") {
        this.connections.set(document.name, document);
        health = true;
      }
      if (id !== null) this.#position = id;
    }
    if (restructured) this.#listener.restructured();
    else if (changed.size > 0) this.#listener.changed(changed);
    if (health) this.#listener.health();
  }

  /** Takes what was said of a room, unless something newer is known. */
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
   * A keep-alive brings the time: if that is another than is believed, the daemon is asked at once what it is.
   *
   * Either its clock was set, or the stream comes late, through a proxy that keeps it back.
   */
  async #compare(comment, arrived) {
    const told = Date.parse(/\d{4}-\S+Z/.exec(comment)?.[0] ?? "");
    const stream = this.#abort;
    const late = () => this.#clock.now() - (this.#clock.steady() - arrived) - told;
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

  /** Asks for everything. */
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

  /** Is called every now and then: ends a stream that went silent, and asks while there is none. */
  #look() {
    const steady = this.#clock.steady();
    if (steady - this.#heard > SILENCE) {
      this.#heard = steady;
      this.#abort?.abort();
    }
    if (!this.live && this.since !== null && steady - this.#asked > POLL * (0.75 + Math.random() / 4)) this.#ask();
    if (this.live && steady - this.#synced > SYNC) this.#sync();
    // The page is to know at that moment, and not with its next look.
    if (this.connected && this.heldFor < LOOK) setTimeout(() => this.connected || this.#listener.link(), this.heldFor + 5);
  }

  /** Polls, where events do not come; one request at a time, for one that hangs helps nobody. */
  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      await this.#load();
      await this.#loadHealth();
      if (!this.live) this.#wake(); // it answers: the stream is tried again
    } catch (error) {
      if (error instanceof Refused) this.#wake(); // the reader is asked; else it does not answer: another time
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
