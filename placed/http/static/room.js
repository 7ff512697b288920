// A room as the daemon published it, and its status at a moment. Pure.

const MINUTE = 60_000;

const moment = (text) => (text === null ? null : Date.parse(text));

/** Converts the document of a meeting; times in ms. */
export function readMeeting(document) {
  return document === null
    ? null
    : { ...document, start: Date.parse(document.start), end: Date.parse(document.end) };
}

/** Converts the document of a presence; times in ms. */
function readPresence(document) {
  return document === null
    ? null
    : { ...document, since: Date.parse(document.since), validUntil: Date.parse(document.valid_until) };
}

/** Converts the document of a check-in; times in ms. */
function readCheckIn(document) {
  return document === null
    ? null
    : { ...document, meeting: Date.parse(document.meeting), from: Date.parse(document.from), until: Date.parse(document.until) };
}

/** Converts the document of a room; times in ms. */
export function readRoom(document) {
  return {
    id: document.room,
    name: document.name,
    building: document.building,
    floor: document.floor,
    place: JSON.stringify([document.building, document.floor, document.capacity, document.time_zone]),
    capacity: document.capacity,
    timeZone: document.time_zone,
    connection: document.connection,
    status: document.status,
    stale: document.stale,
    conflicts: document.conflicts,
    current: readMeeting(document.current),
    next: readMeeting(document.next),
    busyUntil: moment(document.busy_until),
    freeUntil: moment(document.free_until),
    observedAt: moment(document.observed_at),
    validUntil: Date.parse(document.valid_until),
    reason: document.reason,
    presence: readPresence(document.presence ?? null),
    checkIn: readCheckIn(document.check_in ?? null),
    epoch: document.epoch,
    seq: document.seq,
  };
}

/**
 * The status at a moment. After `valid_until`, without a connection, or if the time is not known, it is `unknown`.
 *
 * @param connected whether data from the daemon arrived recently; without it changes are not noticed
 */
export function statusAt(room, now, connected = true) {
  return connected && now < room.validUntil ? room.status : "unknown";
}

/** Whether somebody has checked in to the running meeting, in a room that waits for that. */
export function isCheckedIn({ checkIn, current }) {
  return current !== null && checkIn?.state === "done" && checkIn.meeting === current.start;
}

/** The presence at a moment; null if there is no sensor, or if it is not known now. */
export function presenceAt(room, now, connected = true) {
  const { presence } = room;
  if (presence === null || presence.state === "unknown" || !connected) return null;
  return now < Math.min(presence.validUntil, room.validUntil) ? presence : null;
}

/** The reason why the room is unknown or stale; null if it is neither. */
export function reasonAt(room, now, connected = true) {
  if (!connected) return "offline";
  return room.reason ?? (now < room.validUntil ? null : "expired");
}

/** Whether the room is free now and for that many minutes, as far as is known. */
export function freeFor(room, minutes, now, connected = true) {
  const status = statusAt(room, now, connected);
  return (
    (status === "free" || status === "starting") &&
    !room.stale &&
    (room.freeUntil === null || room.freeUntil - now >= minutes * MINUTE)
  );
}
