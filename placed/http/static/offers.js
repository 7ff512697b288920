// What a panel offers to do with a room at a moment, by the room's statement and by what its token may do. Pure.

const MINUTE = 60_000;
const MINUTES = [15, 30, 60];

/** The end of so many minutes from now; the minute that runs counts as a whole one. */
export function endOf(minutes, now) {
  return (Math.floor(now / MINUTE) + minutes) * MINUTE;
}

/**
 * Returns [{action, meeting, until, minutes, left, starts}]; times in ms, null where the action has none.
 *
 * @param status at this moment, as in `statusAt`
 * @param may {actions: Set of names, longest: ms, extension}; `extension` is null, or as the daemon answered it:
 *   {of: {epoch, seq} of the statement that it belongs to, possible: {meeting, from, until} in ms, or null}
 */
export function offersOf(room, status, may, now) {
  if (status === "unknown") return [];
  const offers = [];
  const offer = (action, more) => {
    if (may.actions.has(action)) offers.push({ action, meeting: null, until: null, minutes: null, left: null, starts: null, ...more });
  };
  const fits = (minutes) => minutes * MINUTE <= may.longest;
  const { checkIn, current } = room;
  if (checkIn?.state === "open" && now < checkIn.until) {
    offer("check-in", { meeting: checkIn.meeting, left: checkIn.until - now, starts: checkIn.meeting > now ? checkIn.meeting : null });
  }
  if (status === "free" || status === "starting") {
    for (const minutes of MINUTES.filter(fits)) {
      const until = endOf(minutes, now);
      if (until <= (room.freeUntil ?? Infinity)) offer("book", { until, minutes });
    }
  } else if (current !== null && !current.all_day) {
    const [from, reach] = isOf(may.extension, room) ? possible(may.extension, current) : byStatement(room);
    for (const minutes of status === "busy" ? MINUTES.filter(fits) : []) {
      const until = from + minutes * MINUTE;
      if (until <= reach) offer("extend", { meeting: current.start, until, minutes });
    }
    offer("end", { meeting: current.start });
  }
  return offers;
}

/** Whether the daemon answered it about the statement that is shown. */
export function isOf(extension, room) {
  return extension !== null && extension.of.epoch === room.epoch && extension.of.seq === room.seq;
}

/** When an extension can begin and end at the latest: the daemon knows which bookings are extensions. */
function possible({ possible: found }, current) {
  return found !== null && found.meeting === current.start ? [found.from, found.until] : [current.end, current.end];
}

/** The same by the statement alone: another meeting that follows without a gap leaves no room to extend. */
function byStatement({ current, next, busyUntil }) {
  return [current.end, current.end === busyUntil ? (next?.start ?? Infinity) : current.end];
}
