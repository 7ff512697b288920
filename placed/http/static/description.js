// The words that describe a room at a moment; shared by both pages.

import { isCheckedIn, presenceAt, reasonAt, statusAt } from "./room.js";

const FRESH = 2500; // ms after the end of a statement in which the next one is expected

/**
 * Returns {status, word, until, left, reason, why}: `until` is the end time, `left` the time until then; "" if none.
 *
 * `reason` is for people, `why` is its code. If the statement of a room has just expired, the room is unknown, and
 * the word is that of an update on its way.
 *
 * @param link {live, connected}: whether events come, and whether the daemon was heard recently
 */
export function describe(room, now, words, link = { live: true, connected: true }) {
  const status = statusAt(room, now, link.connected);
  const description = { status, word: words.text(`status.${status}`), until: "", left: "", reason: "", why: null };
  if (status === "unknown") {
    description.why = reasonAt(room, now, link.connected) ?? "expired";
    if (link.live && link.connected && room.status !== "unknown" && now - room.validUntil < FRESH) {
      return { ...description, word: words.text("status.updating") };
    }
    const name = `reason.${description.why}`;
    return { ...description, reason: words.text(words.knows(name) ? name : "reason.expired") };
  }
  if (status === "busy" || status === "pending") {
    if (room.busyUntil !== null) {
      description.until = words.text("until", { time: words.when(room.busyUntil, room.timeZone, now) });
      description.left = words.text("left", { duration: words.left(room.busyUntil - now) });
    }
    if (status === "pending" && room.checkIn !== null) {
      description.left = words.text("check-in.left", { duration: words.left(room.checkIn.until - now) });
    }
  } else if (room.freeUntil === null || words.day(room.freeUntil, room.timeZone) !== words.day(now, room.timeZone)) {
    description.until = words.text("free.today");
  } else if (status === "starting") {
    description.until = words.text("at", { time: words.time(room.freeUntil, room.timeZone) });
    description.left = words.text("in", { duration: words.left(room.freeUntil - now) });
  } else {
    description.until = words.text("until", { time: words.time(room.freeUntil, room.timeZone) });
    description.left = words.text("for", { duration: words.left(room.freeUntil - now) });
  }
  return description;
}

/**
 * Returns {use, text} for a room with sensors: what they add to the status, which they never change. `use` is
 * `used`, `booked_empty`, `unbooked`, `empty`, `present` or null; the text is "" where there is nothing to add.
 */
export function describePresence(room, now, words, link = { connected: true }) {
  const presence = presenceAt(room, now, link.connected);
  if (presence === null) return { use: null, text: "" };
  const status = statusAt(room, now, link.connected);
  const here = presence.state === "present";
  const booked = status === "busy" || status === "pending";
  const since = words.text("presence.nobody", { time: words.when(presence.since, room.timeZone, now) });
  if (status === "unknown") return { use: here ? "present" : "empty", text: here ? people(presence, words) : since };
  if (here) {
    const use = booked ? "used" : "unbooked";
    return { use, text: booked ? people(presence, words) : words.text("presence.unbooked") };
  }
  return booked ? { use: "booked_empty", text: since } : { use: "empty", text: "" };
}

function people(presence, words) {
  return presence.count ? words.text("presence.people", { count: presence.count }) : words.text("presence.somebody");
}

/** Until when the status holds, as RFC 3339; null if unknown. For programs that read the page. */
export function untilOf(room, status) {
  if (status === "unknown") return null;
  const until = status === "busy" || status === "pending" ? room.busyUntil : room.freeUntil;
  return until === null ? null : new Date(until).toISOString();
}

/** The name of a meeting, as far as the privacy setting shows it. `own` holds text that people wrote. */
export function nameOf(meeting, words) {
  const own = [meeting.title, meeting.organizer].filter(Boolean);
  if (own.length > 0) return { own };
  return { own: [], text: words.text(meeting.private ? "meeting.private" : "meeting.booked") };
}

/** "checked in", if somebody has checked in to the running meeting. */
export function checkInOf(room, words) {
  return isCheckedIn(room) ? words.text("check-in.done") : null;
}

/** The floor; if it begins with a digit, as "Floor 3". */
export function floorOf(floor, words) {
  return /^[-\d]/.test(floor) ? words.text("floor", { name: floor }) : floor;
}

/** Start and end of a meeting, or "All day". */
export function spanOf(meeting, room, words, now) {
  if (meeting.all_day) return words.text("all-day");
  return words.text("span", {
    start: words.when(meeting.start, room.timeZone, now),
    end: words.when(meeting.end, room.timeZone, now),
  });
}
