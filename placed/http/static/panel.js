// The panel: one room, on a tablet at its door.
//
// It must never show a stale green. The status is computed again every second and expires at `valid_until`.
// At that moment the browser also draws a cover by itself, even if this script hangs.

import { Api, tokenAccepted, tokenFor } from "./api.js";
import { ServerClock } from "./clock.js";
import { Days } from "./days.js";
import { bdi, el, setText, set, shape, statusShape } from "./dom.js";
import { Feed } from "./feed.js";
import { stayAwake } from "./kiosk.js";
import { keepPages } from "./offline.js";
import { renew } from "./renew.js";
import { checkInOf, describe, describePresence, nameOf, spanOf, untilOf } from "./description.js";
import { Timeline } from "./timeline.js";
import { loadWords } from "./words.js";

const SHIFT = 60_000; // ms between steps against burn-in
const REACH = 10; // px
const SAME = 100; // ms of tolerance for the time of the cover
const NIGHT = [20, 7]; // hours between which the panel is dim

const find = (id) => document.getElementById(id);
const id = decodeURIComponent(location.pathname.split("/").at(-1));
const words = await loadWords();

const clock = new ServerClock(() => feed.hurry());
const api = new Api(clock);
const days = new Days(api, clock, () => show());
const timeline = new Timeline(2);
find("day").append(timeline.element);
const cover = find("cover");
cover.append(shape("unknown"), el("p", {}, words.text("status.unknown")));
let epoch = null;
let away = false; // whether the daemon was unreachable at the last attempt
let coverAnimation = null;
let coveredAt = null; // when the cover appears, in steady ms
let actions = null; // the buttons
let qrCode = null;

const feed = new Feed(
  api,
  clock,
  {
    changed() {
      days.want(id);
      show();
    },
    restructured() {
      if (epoch !== null && epoch !== feed.epoch) {
        renew();
        actions?.renew(); // its settings may have changed
      }
      epoch = feed.epoch;
      if (feed.rooms.has(id)) days.want(id);
      show();
    },
    health() {},
    link() {
      if (feed.live && away) renew();
      if (feed.live) keepPages();
      away = !feed.live;
      show();
    },
    refused: async () => {
      await tokenFor(api, words);
      act(); // it may be a panel's
    },
    accepted: tokenAccepted,
  },
  id,
);

/** Loads the buttons, which are for pages with a token alone. Without their files the page is one without buttons. */
async function act() {
  try {
    if (actions === null) {
      const { Actions } = await import("./actions.js");
      const made = await Actions.begin(api, clock, feed, id, words);
      actions ??= made;
    }
    await (api.wanted ? actions.enter() : actions.renew());
    api.wanted = false;
  } catch {
    // the daemon cannot be reached
  }
}

async function showQrCode() {
  const { QrCode } = await import("./qr.js");
  qrCode = await QrCode.begin(api, clock, id, words);
}

function show() {
  actions?.show();
  const now = clock.now();
  const room = feed.rooms.get(id);
  const shown = room !== undefined && clock.known && document.visibilityState === "visible";
  if (!shown) {
    showNothing(room);
    return;
  }
  const description = describe(room, now, words, feed);
  setStatus(description.status, untilOf(room, description.status), description.status === "unknown" ? null : room.validUntil, description.why);
  set(document.body, "data-stale", room.stale && description.status !== "unknown");
  document.title = `${room.name}: ${description.word}`;
  if (find("name").textContent !== room.name) find("name").replaceChildren(bdi(room.name));
  statusShape(find("shape"), description.status);
  showWord(description.word);
  setText(find("until"), description.reason || [description.until, description.left].filter(Boolean).join(" · "));
  const presence = describePresence(room, now, words, feed);
  set(document.body, "data-use", presence.use);
  setText(find("presence"), presence.text);
  const known = description.status !== "unknown";
  find("day").hidden = false;
  showMeeting(find("current"), known ? room.current : null, room, now, checkInOf(room, words));
  showMeeting(find("next"), known ? room.next : null, room, now);
  timeline.show(days.of(id, now), room, words, now, !known || room.stale);
  showClock(now, room.timeZone);
  setText(find("note"), noteOf(room, now, known));
  qrCode?.show(room, known);
  lower(room, now, known);
}

/** Shows no status: before the first document, for a room that does not exist, and while the page is hidden. */
function showNothing(room) {
  setStatus("unknown", null, null, feed.missing ? "missing" : feed.lost ? "offline" : "waiting");
  set(document.body, "data-stale", null);
  set(document.body, "data-use", null);
  setText(find("presence"), "");
  statusShape(find("shape"), "unknown");
  showWord(words.text(feed.missing ? "panel.missing" : "status.unknown"));
  setText(find("until"), feed.missing ? words.text("panel.missing.id", { id }) : words.text(feed.lost ? "reason.offline" : "panel.waiting"));
  qrCode?.show(null, false);
  find("day").hidden = room === undefined;
  if (room === undefined) {
    setText(find("name"), feed.missing ? "" : id);
    showMeeting(find("current"), null);
    showMeeting(find("next"), null);
    setText(find("note"), "");
  }
  coverAnimation?.cancel();
  coveredAt = null;
}

/** Sets the attributes for the style sheet and for programs that read the page. */
function setStatus(status, until, validUntil, why) {
  set(document.body, "data-status", status);
  set(document.body, "data-until", until);
  set(document.body, "data-valid-until", validUntil === null ? null : new Date(validUntil).toISOString());
  set(document.body, "data-why", why);
}

/** Shows the status word, as large as fits. */
function showWord(word) {
  setText(find("word"), word);
  find("word").style.setProperty("--letters", String(Math.max(4, [...word].length)));
}

function showMeeting(holder, meeting, room, now, more = null) {
  if (holder.hidden !== (meeting === null)) holder.hidden = meeting === null;
  if (meeting === null) return;
  const name = nameOf(meeting, words);
  const title = holder.querySelector(".title");
  const [first, second] = name.own;
  if (title.dataset.key !== (first ?? name.text)) {
    title.dataset.key = first ?? name.text;
    title.replaceChildren(first === undefined ? name.text : bdi(first));
  }
  const span = holder.querySelector(".span");
  const text = [spanOf(meeting, room, words, now), more].filter(Boolean).join(" · ");
  if (span.dataset.key !== `${text} ${second}`) {
    span.dataset.key = `${text} ${second}`;
    span.replaceChildren(text, ...(second === undefined ? [] : [" · ", bdi(second)]));
  }
}

function showClock(now, timeZone) {
  const { time, period } = words.clock(now, timeZone);
  const key = `${time} ${period}`;
  const holder = find("clock");
  if (holder.dataset.key === key) return;
  holder.dataset.key = key;
  holder.replaceChildren(time, ...(period ? [el("small", {}, period)] : []));
  const hour = Number(new Intl.DateTimeFormat("en-GB", { hour: "2-digit", hourCycle: "h23", timeZone }).format(now));
  document.body.classList.toggle("night", hour >= NIGHT[0] || hour < NIGHT[1]);
}

function noteOf(room, now, known) {
  const { lost } = feed;
  const readAt = days.readAt(room);
  const age = readAt === null ? null : words.ago(now - readAt);
  const parts = [];
  if (lost && known) parts.push(words.text("offline")); // otherwise it is the reason for unknown
  if ((lost || room.stale || !known) && age !== null) parts.push(words.text("read", { ago: age }));
  return parts.join(" · ");
}

/**
 * Schedules the cover for the end of the statement, or for the end of the time without data from the daemon.
 * The browser runs the animation, even if this script hangs.
 */
function lower(room, now, known) {
  const delay = Math.min(room.validUntil - now, feed.heldFor, 2 ** 31 - 1);
  const down = known ? clock.steady() + delay : null;
  if (down === coveredAt || (known && coveredAt !== null && Math.abs(down - coveredAt) < SAME)) return;
  coveredAt = down;
  coverAnimation?.cancel();
  if (!known) return;
  coverAnimation = cover.animate([{ opacity: 0 }, { opacity: 1 }], { delay, duration: 1, fill: "forwards" });
}

// Moves the content slowly, so that no pixel burns in.
let step = 0;
function shift() {
  step += 1;
  const stage = find("stage");
  stage.style.translate = `${Math.round(Math.sin(step / 5) * REACH)}px ${Math.round(Math.cos(step / 7) * REACH)}px`;
}

setInterval(shift, SHIFT);
setInterval(() => {
  days.tick();
  show();
}, 1000);
document.addEventListener("visibilitychange", () => {
  show();
  if (document.visibilityState === "visible") feed.hurry();
});
addEventListener("pagehide", () => showNothing(feed.rooms.get(id)));
addEventListener("hashchange", () => location.reload()); // it brings a token
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
find("name").textContent = id;
show();
stayAwake();
if (api.hasToken || api.wanted) act();
if (document.documentElement.dataset.qrCodes === "yes") showQrCode().catch(() => {}); // a panel without it, then
feed.run();
