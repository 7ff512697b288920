// What is said of a room at a moment, in words. Both pages say it the same way.

import { reasonAt, statusAt } from "./room.js";

const FRESH = 2500; // ms after its end in which the next statement is still on its way

/**
 * {status, word, until, left, reason, why}: `until` is until when, `left` how long that still is; "" for nothing.
 *
 * `reason` is for people, `why` is its code. A room whose statement has just ended is unknown; the word says
 * that the next is on its way.
 *
 * @param link {live, connected}: whether events come, and whether the daemon was heard recently
 */
export function describe(room, now, words, link = { live: true, connected: true }) {
  const status = statusAt(room, now, link.connected);
  const told = { status, word: words.say(`status.${status}`), until: "", left: "", reason: "", why: null };
  if (status === "unknown") {
    told.why = reasonAt(room, now, link.connected) ?? "expired";
    if (link.live && link.connected && room.status !== "unknown" && now - room.validUntil < FRESH) {
      return { ...told, word: words.say("status.updating") };
    }
    const name = `reason.${told.why}`;
    return { ...told, reason: words.say(words.knows(name) ? name : "reason.expired") };
  }
  if (status === "busy" || status === "pending") {
    if (room.busyUntil !== null) {
      told.until = words.say("until", { time: words.when(room.busyUntil, room.timeZone, now) });
      told.left = words.say("left", { duration: words.left(room.busyUntil - now) });
    }
  } else if (room.freeUntil === null || words.day(room.freeUntil, room.timeZone) !== words.day(now, room.timeZone)) {
    told.until = words.say("free.today");
  } else if (status === "starting") {
    told.until = words.say("at", { time: words.time(room.freeUntil, room.timeZone) });
    told.left = words.say("in", { duration: words.left(room.freeUntil - now) });
  } else {
    told.until = words.say("until", { time: words.time(room.freeUntil, room.timeZone) });
    told.left = words.say("for", { duration: words.left(room.freeUntil - now) });
  }
  return told;
}

/** Until when a room is what it is, as RFC 3339; null where that is not known. For programs that read the page. */
export function untilOf(room, status) {
  if (status === "unknown") return null;
  const until = status === "busy" || status === "pending" ? room.busyUntil : room.freeUntil;
  return until === null ? null : new Date(until).toISOString();
}

/** What a meeting may be called, by what of it may be seen. `own` says that these are somebody's own words. */
export function nameOf(meeting, words) {
  const own = [meeting.title, meeting.organizer].filter(Boolean);
  if (own.length > 0) return { own };
  return { own: [], text: words.say(meeting.private ? "meeting.private" : "meeting.booked") };
}

/** A floor that is a number is called one. */
export function floorOf(floor, words) {
  return /^[-\d]/.test(floor) ? words.say("floor", { name: floor }) : floor;
}

/** From when to when; all day long. */
export function spanOf(meeting, room, words, now) {
  if (meeting.all_day) return words.say("all-day");
  return words.say("span", {
    start: words.when(meeting.start, room.timeZone, now),
    end: words.when(meeting.end, room.timeZone, now),
  });
}
