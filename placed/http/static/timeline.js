// Today as a bar: the meetings, and a line for the current time.

import { el, set } from "./dom.js";
import { nameOf, spanOf } from "./description.js";

const HOUR = 3_600_000;
const MORNING = 6; // first and last hour of the bar, unless a meeting lies outside
const EVENING = 22;

const scales = new Map();

/** Every full hour of a day in the room's time zone: [{at, hour}]. A day has 23 to 25 of them. */
function hoursOf(day, timeZone) {
  const key = `${timeZone} ${day.since}`;
  let hours = scales.get(key);
  if (hours === undefined) {
    const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", hourCycle: "h23", timeZone });
    hours = [];
    for (let at = day.since; at < day.until; at += HOUR) hours.push({ at, hour: Number(format.format(at)) });
    if (scales.size > 50) scales.clear();
    scales.set(key, hours);
  }
  return hours;
}

/** The visible part of the day. */
function extent(day, timeZone, now) {
  const hours = hoursOf(day, timeZone);
  const start = hours.find(({ hour }) => hour >= MORNING)?.at ?? day.since;
  const end = hours.find(({ at, hour }) => at > start && hour >= EVENING)?.at ?? day.until;
  const timed = day.meetings.filter((meeting) => !meeting.all_day);
  const outside = now < start || now >= end || timed.some((m) => m.start < start || m.end > end);
  return outside ? { start: day.since, end: day.until, hours } : { start, end, hours };
}

export class Timeline {
  element;
  #track = el("div", { class: "track" });
  #now = el("div", { class: "now" });
  #scale = el("div", { class: "scale", "aria-hidden": "true" });
  #drawn = null;
  #window = null;
  #step;

  /** @param step hours between two labels; more if the whole day is drawn. */
  constructor(step) {
    this.#step = step;
    this.element = el("div", { class: "timeline", role: "img" }, this.#track, this.#scale);
  }

  /** Shows a day; an empty bar if `day` is null. */
  show(day, room, words, now, doubtful) {
    set(this.element, "data-empty", day === null);
    set(this.element, "data-doubtful", doubtful);
    if (day === null) {
      if (this.#drawn !== "none") {
        this.#drawn = "none";
        this.#track.replaceChildren();
        this.#scale.replaceChildren();
        set(this.element, "aria-label", words.text("day.unknown"));
      }
      return;
    }
    const window = extent(day, room.timeZone, now);
    if (this.#drawn !== day || this.#window.start !== window.start) {
      this.#drawn = day;
      this.#window = window;
      this.#draw(day, room, words, now);
    }
    const place = (now - window.start) / (window.end - window.start);
    this.#now.style.insetInlineStart = `${(place * 100).toFixed(2)}%`;
    this.#track.style.setProperty("--past", `${(place * 100).toFixed(2)}%`);
  }

  #draw(day, room, words, now) {
    const { start, end, hours } = this.#window;
    const length = end - start;
    const percent = (ms) => `${(((ms - start) / length) * 100).toFixed(3)}%`;
    const parts = [];
    const step = length > 17 * HOUR ? 1.5 * this.#step : this.#step;
    const inside = hours.filter(({ at }) => at > start && at < end);
    for (const { at } of inside.filter(({ hour }) => hour % 2 === 0)) {
      const mark = el("i", { class: "mark" });
      mark.style.insetInlineStart = percent(at);
      parts.push(mark);
    }
    for (const meeting of day.meetings) {
      const from = Math.max(meeting.start, start);
      const to = Math.min(meeting.end, end);
      if (to <= from) continue;
      const block = el("i", { class: meeting.end <= now ? "block past" : "block" });
      block.style.insetInlineStart = percent(from);
      block.style.inlineSize = `${(((to - from) / length) * 100).toFixed(3)}%`;
      parts.push(block);
    }
    this.#track.replaceChildren(...parts, this.#now);
    const labels = inside.filter(({ hour }) => hour % step === 0);
    this.#scale.replaceChildren(
      ...labels.map(({ at }) => {
        const label = el("span", {}, words.hour(at, room.timeZone));
        label.style.insetInlineStart = percent(at);
        return label;
      }),
    );
    const spans = day.meetings.map((meeting) => spanOf(meeting, room, words, day.since));
    set(
      this.element,
      "aria-label",
      spans.length === 0 ? words.text("day.free") : words.text("day.taken", { spans: spans.join(", ") }),
    );
  }
}

/** The day's meetings as a list. */
export function listOf(day, room, words, now) {
  return el(
    "ol",
    { class: "meetings" },
    ...day.meetings.map((meeting) => {
      const name = nameOf(meeting, words);
      const phase = meeting.end <= now ? "past" : meeting.start <= now ? "current" : "future";
      const title = name.own.length > 0 ? name.own.map((text) => el("bdi", { dir: "auto" }, text)) : [name.text];
      return el(
        "li",
        { class: phase, "aria-current": phase === "current" ? "true" : null },
        el("span", { class: "span" }, spanOf(meeting, room, words, day.since)),
        el("span", { class: "title" }, ...title.flatMap((part, index) => (index ? [" · ", part] : [part]))),
      );
    }),
  );
}
