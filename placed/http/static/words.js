// The page's language: its words, and times and durations as its people write them.

const HERE = new URL("./i18n/", import.meta.url);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Of the tags that the reader would like, the first whose language there is; English if there is none. */
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
  root.dir = words.say("direction");
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = words.say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words.say(element.dataset.label));
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

  /** The words by that name, with values for what stands in braces. */
  say(name, values = {}) {
    const form = "count" in values ? `${name}.${this.plurals.select(values.count)}` : name;
    const text = this.#words[form] ?? this.#words[`${name}.other`] ?? this.#words[name] ?? name;
    return text.replace(/\{(\w+)\}/g, (whole, key) => {
      const value = values[key];
      if (value === undefined) return whole;
      return typeof value === "number" ? this.number(value) : value;
    });
  }

  /** Whether there are words by that name. */
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
        return new Intl.DateTimeFormat(this.#tag, { ...options, timeZone: "UTC" }); // a zone that is new to this browser
      }
    });
  }

  number(value) {
    return this.#format("number", () => new Intl.NumberFormat(this.#tag)).format(value);
  }

  /** The time of day, by 12 or 24 hours as the reader's people have it. */
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

  /** The day in digits, to tell whether two moments are of the same. */
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

  /** Day and time, the day only where it is another than that of `now`. */
  when(ms, timeZone, now) {
    const time = this.time(ms, timeZone);
    if (this.day(ms, timeZone) === this.day(now, timeZone)) return time;
    return this.#dates(timeZone, { weekday: "short", hour: "numeric", minute: "2-digit" }).format(ms);
  }

  zone(ms, timeZone) {
    const parts = this.#dates(timeZone, { timeZoneName: "short" }).formatToParts(ms);
    return parts.find((part) => part.type === "timeZoneName")?.value ?? timeZone;
  }

  /** What is left, in whole minutes that have begun: 45 min, 1 h 20 min, 3 days. */
  left(ms) {
    const minutes = Math.max(1, Math.ceil(ms / MINUTE - 0.001));
    if (minutes < 60) return this.say("minutes", { count: minutes });
    if (minutes >= 48 * 60) return this.say("days", { count: Math.round(minutes / 1440) });
    const hours = this.say("hours", { count: Math.floor(minutes / 60) });
    return minutes % 60 === 0 ? hours : `${hours} ${this.say("minutes", { count: minutes % 60 })}`;
  }

  /** How long ago: 12 s ago, 3 min ago. */
  ago(ms) {
    const format = this.#format("ago", () => new Intl.RelativeTimeFormat(this.#tag, { style: "short" }));
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 60) return format.format(-seconds, "second");
    if (ms < HOUR) return format.format(-Math.round(ms / MINUTE), "minute");
    if (ms < 48 * HOUR) return format.format(-Math.round(ms / HOUR), "hour");
    return format.format(-Math.round(ms / (24 * HOUR)), "day");
  }

  /** Whole days from now on. */
  days(ms) {
    return Math.floor(ms / (24 * HOUR));
  }
}
