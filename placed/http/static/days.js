// Today's meetings of the visible rooms, requested for many rooms at once.

import { readMeeting } from "./room.js";

const GATHER = 60; // ms in which wanted rooms are collected into one request
const MOST = 60; // rooms per request
const AGAIN = 60_000; // ms after which a day is requested again
const RETRY = 5000; // ms after a failure, and the minimum between two requests for newer readings

export class Days {
  #api;
  #clock;
  #arrived;
  #days = new Map(); // by room
  #readAt = new Map(); // when the calendar of a room was last read, by room
  #wanted = new Map(); // when to request a room next, in steady ms
  #timer = null;

  /** @param arrived is called with the ids of rooms whose day has arrived. */
  constructor(api, clock, arrived) {
    this.#api = api;
    this.#clock = clock;
    this.#arrived = arrived;
  }

  /** The day of a room, if it is valid now; otherwise null. */
  of(id, now) {
    const day = this.#days.get(id);
    return day !== undefined && day.meetings !== null && now < day.validUntil && now < day.until ? day : null;
  }

  /**
   * When the calendar of a room was last read, in ms; null if never.
   *
   * A reading that finds nothing new makes no statement, so the room's `observed_at` may be minutes older.
   */
  readAt(room) {
    const read = Math.max(room.observedAt ?? -Infinity, this.#readAt.get(room.id) ?? -Infinity);
    return read === -Infinity ? null : read;
  }

  /** Calendars have just been read: requests the day of a room soon, for the time of its reading. */
  refresh(id) {
    const soon = (this.#wanted.get(id) ?? Infinity) - AGAIN + RETRY;
    if (soon < Infinity) this.#wanted.set(id, Math.min(this.#wanted.get(id), Math.max(soon, this.#clock.steady())));
    this.tick();
  }

  /** A room has become visible, or has changed. */
  want(id) {
    this.#wanted.set(id, -Infinity);
    this.#timer ??= setTimeout(() => this.#ask(), GATHER);
  }

  /** A room is no longer visible. */
  drop(id) {
    this.#wanted.delete(id);
    this.#days.delete(id);
    this.#readAt.delete(id);
  }

  /** Called every second: requests days that are old. */
  tick() {
    const steady = this.#clock.steady();
    for (const at of this.#wanted.values()) {
      if (at <= steady) {
        this.#timer ??= setTimeout(() => this.#ask(), GATHER);
        return;
      }
    }
  }

  async #ask() {
    this.#timer = null;
    const steady = this.#clock.steady();
    const due = [...this.#wanted].filter(([, at]) => at <= steady).map(([id]) => id).sort();
    for (let start = 0; start < due.length; start += MOST) {
      const ids = due.slice(start, start + MOST);
      for (const id of ids) this.#wanted.set(id, steady + AGAIN);
      try {
        const query = ids.map((id) => `room=${encodeURIComponent(id)}`).join("&");
        const { days } = await this.#api.json(`api/v1/days?${query}`, { cache: "no-cache" });
        for (const day of days) this.#take(day);
        this.#arrived(ids);
      } catch {
        for (const id of ids) if (this.#wanted.has(id)) this.#wanted.set(id, this.#clock.steady() + RETRY);
      }
    }
  }

  #take(day) {
    if (!this.#wanted.has(day.room)) return;
    if (day.observed_at !== null) this.#readAt.set(day.room, Date.parse(day.observed_at));
    this.#days.set(day.room, {
      since: Date.parse(day.since),
      until: Date.parse(day.until),
      validUntil: day.valid_until === null ? 0 : Date.parse(day.valid_until),
      meetings: day.meetings === null ? null : day.meetings.map(readMeeting),
    });
  }
}
