// The language of the page: its texts, and the format of times and durations.

const HERE = new URL("./i18n/", import.meta.url);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The first of the wanted language tags that has a translation; English if there is none. */
export function choose(wanted, languages) {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split("-")[0];
    const exact = languages.find((language) => language.toLowerCase() === tag.toLowerCase());
    const found = exact ?? languages.find((language) => language.toLowerCase() === base);
    if (found !== undefined) return { language: found, tag };
  }
  return { language: "en", tag: "en-GB" };
}

const valid = (tag) => {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
};

export async function loadWords() {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [...(asked ? [asked] : []), ...navigator.languages].filter(valid);
  const { language, tag } = choose(wanted, root.dataset.languages.split(" "));
  const response = await fetch(new URL(`${language}.json`, HERE));
  const words = new Words(await response.json(), tag);
  root.lang = language;
  root.dir = words.text("direction");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = words.text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words.text(element.dataset.label));
  }
  return words;
}

export class Words {
  #words;
  #tag;
  #formats = new Map();

  constructor(words, tag) {
    this.#words = words;
    this.#tag = tag;
    this.plurals = new Intl.PluralRules(tag);
  }

  /** The text by its key, with values for the placeholders in braces. */
  text(name, values = {}) {
    const form = "count" in values ? `${name}.${this.plurals.select(values.count)}` : name;
    const text = this.#words[form] ?? this.#words[`${name}.other`] ?? this.#words[name] ?? name;
    return text.replace(/\{(\w+)\}/g, (whole, key) => {
      const value = values[key];
      if (value === undefined) return whole;
      return typeof value === "number" ? this.number(value) : value;
    });
  }

  /** Adds texts, by their keys. */
  add(words) {
    this.#words = { ...this.#words, ...words };
  }

  /** Whether there is a text with this key. */
  knows(name) {
    return name in this.#words;
  }

  #format(key, make) {
    let format = this.#formats.get(key);
    if (format === undefined) this.#formats.set(key, (format = make()));
    return format;
  }

  #dates(timeZone, options) {
    const key = `${timeZone} ${JSON.stringify(options)}`;
    return this.#format(key, () => {
      try {
        return new Intl.DateTimeFormat(this.#tag, { ...options, timeZone });
      } catch {
        return new Intl.DateTimeFormat(this.#tag, { ...options, timeZone: "UTC" }); // a zone that this browser does not know
      }
    });
  }

  number(value) {
    return this.#format("number", () => new Intl.NumberFormat(this.#tag)).format(value);
  }

  /** The time of day, in the 12 or 24 hour format of the reader's locale. */
  time(ms, timeZone) {
    return this.#dates(timeZone, { hour: "numeric", minute: "2-digit" }).format(ms);
  }

  /** The parts of the time of day, for a large clock: {time, dayPeriod}. */
  clock(ms, timeZone) {
    const parts = this.#dates(timeZone, { hour: "numeric", minute: "2-digit" }).formatToParts(ms);
    const period = parts.find((part) => part.type === "dayPeriod")?.value ?? "";
    const time = parts.filter((part) => part.type !== "dayPeriod").map((part) => part.value).join("").trim();
    return { time, period };
  }

  /** The hour alone, for a scale. */
  hour(ms, timeZone) {
    const parts = this.#dates(timeZone, { hour: "numeric" }).formatToParts(ms);
    const part = (type) => parts.find((one) => one.type === type)?.value ?? "";
    return `${part("hour").replace(/^0(?=\d)/, "")} ${part("dayPeriod")}`.trim();
  }

  date(ms, timeZone) {
    return this.#dates(timeZone, { weekday: "long", day: "numeric", month: "long" }).format(ms);
  }

  /** The date in digits, to compare the days of two moments. */
  day(ms, timeZone) {
    const format = this.#format(`day ${timeZone}`, () => {
      const options = { year: "numeric", month: "2-digit", day: "2-digit" };
      try {
        return new Intl.DateTimeFormat("en-CA", { ...options, timeZone });
      } catch {
        return new Intl.DateTimeFormat("en-CA", { ...options, timeZone: "UTC" });
      }
    });
    return format.format(ms);
  }

  /** Day and time; the day only if it differs from that of `now`. */
  when(ms, timeZone, now) {
    const time = this.time(ms, timeZone);
    if (this.day(ms, timeZone) === this.day(now, timeZone)) return time;
    return this.#dates(timeZone, { weekday: "short", hour: "numeric", minute: "2-digit" }).format(ms);
  }

  zone(ms, timeZone) {
    const parts = this.#dates(timeZone, { timeZoneName: "short" }).formatToParts(ms);
    return parts.find((part) => part.type === "timeZoneName")?.value ?? timeZone;
  }

  /** A remaining duration, rounded up to minutes: 45 min, 1 h 20 min, 3 days. */
  left(ms) {
    const minutes = Math.max(1, Math.ceil(ms / MINUTE - 0.001));
    if (minutes < 60) return this.text("minutes", { count: minutes });
    if (minutes >= 48 * 60) return this.text("days", { count: Math.round(minutes / 1440) });
    const hours = this.text("hours", { count: Math.floor(minutes / 60) });
    return minutes % 60 === 0 ? hours : `${hours} ${this.text("minutes", { count: minutes % 60 })}`;
  }

  /** A past duration: 12 s ago, 3 min ago. */
  ago(ms) {
    const format = this.#format("ago", () => new Intl.RelativeTimeFormat(this.#tag, { style: "short" }));
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 60) return format.format(-seconds, "second");
    if (ms < HOUR) return format.format(-Math.round(ms / MINUTE), "minute");
    if (ms < 48 * HOUR) return format.format(-Math.round(ms / HOUR), "hour");
    return format.format(-Math.round(ms / (24 * HOUR)), "day");
  }

  /** A duration in whole days. */
  days(ms) {
    return Math.floor(ms / (24 * HOUR));
  }
}
