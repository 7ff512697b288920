// Keeps rooms and connections as the daemon tells them: by its events, and by asking where these do not come.

import { Missing, Refused } from "./api.js";
import { EventParser } from "./stream.js";
import { readRoom } from "./room.js";

const SHORTEST = 1000; // ms before the next attempt, doubled with each, with jitter
const LONGEST = 30_000;
const SILENCE = 40_000; // ms without a byte; the daemon sends one every 15 s
const SETTLED = 10_000; // ms after which a stream counts as a good one
const POLL = 10_000; // ms between questions while there is no stream
const LOOK = 2000; // ms between looks at all that
const SYNC = 300_000; // ms between questions for the time

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
  #heard = 0;
  #asked = -Infinity;
  #synced = 0;
  #abort = null;
  #wake = () => {};

  /**
   * @param listener {changed(ids), restructured(), health(), link(), refused()}: what is new
   * @param room follow this one only; all if null
   */
  constructor(api, clock, listener, room = null) {
    this.#api = api;
    this.#clock = clock;
    this.#listener = listener;
    this.#room = room;
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
        if (error instanceof Refused) await this.#listener.refused();
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
    const response = await this.#api.open(`/api/v1/events${query}`, {
      headers: this.#position === null ? {} : { "Last-Event-ID": this.#position },
      signal: this.#abort.signal,
    });
    const begun = this.#clock.steady();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.#heard = this.#clock.steady();
      if (this.#heard - begun > SETTLED) this.#attempt = 0;
      this.#setLive(true);
      this.#take(parser.take(value));
    }
  }

  #take(events) {
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

  /** Asks for everything. */
  async #load() {
    this.#asked = this.#clock.steady();
    const one = this.#room !== null;
    let listing;
    try {
      listing = await this.#api.json(one ? `/api/v1/rooms/${this.#room}` : "/api/v1/rooms");
    } catch (error) {
      if (!(error instanceof Missing) || !one) throw error;
      this.rooms.clear();
      this.#setMissing(true);
      this.#listener.restructured();
      return;
    }
    const rooms = one ? [listing] : listing.rooms;
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
    const { connections } = await this.#api.json("/api/v1/connections");
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
    if (!this.live && this.since !== null && steady - this.since > LOOK && steady - this.#asked > POLL) {
      this.#asked = steady;
      this.#load().then(() => this.#loadHealth()).catch(() => {});
    }
    if (this.live && steady - this.#synced > SYNC) this.#sync();
  }

  #sync() {
    this.#synced = this.#clock.steady();
    this.#api.open("/healthz").then((response) => response.text()).catch(() => {});
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
