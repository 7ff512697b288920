// Today's meetings of the rooms that are seen, asked for many at once.

import { readMeeting } from "./room.js";

const GATHER = 60; // ms in which questions are gathered
const MOST = 60; // rooms in a question
const AGAIN = 60_000; // ms after which a day is asked for again
const RETRY = 5000; // ms after a failure, and at least between two questions for what was read since

export class Days {
  #api;
  #clock;
  #told;
  #days = new Map(); // by room
  #readAt = new Map(); // when a room's calendar was read last, as far as was asked, by room
  #wanted = new Map(); // when to ask for a room's next, in steady ms
  #timer = null;

  /** @param told is called with the ids of rooms whose day has come. */
  constructor(api, clock, told) {
    this.#api = api;
    this.#clock = clock;
    this.#told = told;
  }

  /** The day of a room that may be believed now; null if there is none. */
  of(id, now) {
    const day = this.#days.get(id);
    return day !== undefined && day.meetings !== null && now < day.validUntil && now < day.until ? day : null;
  }

  /**
   * When a room's calendar was read last, in ms; null if it never was.
   *
   * A reading that found nothing new makes no statement of the room, so what that says may be minutes older.
   */
  readAt(room) {
    const read = Math.max(room.observedAt ?? -Infinity, this.#readAt.get(room.id) ?? -Infinity);
    return read === -Infinity ? null : read;
  }

  /** Calendars were read just now: asks when that of a room was, soon. */
  refresh(id) {
    const soon = (this.#wanted.get(id) ?? Infinity) - AGAIN + RETRY;
    if (soon < Infinity) this.#wanted.set(id, Math.min(this.#wanted.get(id), Math.max(soon, this.#clock.steady())));
    this.tick();
  }

  /** A room is seen from now on, or has news. */
  want(id) {
    this.#wanted.set(id, -Infinity);
    this.#timer ??= setTimeout(() => this.#ask(), GATHER);
  }

  /** A room is not seen any more. */
  drop(id) {
    this.#wanted.delete(id);
    this.#days.delete(id);
    this.#readAt.delete(id);
  }

  /** Is called every second: asks again for what is old. */
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
        this.#told(ids);
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
