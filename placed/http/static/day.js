// Today's meetings of one room, for a phone. The QR code on the room's panel opens this page.
//
// The code of a meeting that waits for a check-in contains a ticket: #check-in=…

import { Api, takeFromAddress, tokenAccepted, tokenFor } from "./api.js";
import { ServerClock } from "./clock.js";
import { Days } from "./days.js";
import { bdi, el, set, setText, statusShape } from "./dom.js";
import { Feed } from "./feed.js";
import { keepPages } from "./offline.js";
import { renew } from "./renew.js";
import { describe } from "./description.js";
import { listOf } from "./timeline.js";
import { loadWords } from "./words.js";

const find = (id) => document.getElementById(id);
const id = decodeURIComponent(location.pathname.split("/").at(-2));
const ticket = takeFromAddress("check-in");
const words = await loadWords();

const clock = new ServerClock(() => feed.hurry());
const api = new Api(clock);
const days = new Days(api, clock, () => show());
let epoch = null;
let checkIn = null; // the button, if there is a ticket
let listed = "";

const feed = new Feed(
  api,
  clock,
  {
    changed() {
      days.want(id);
      show();
    },
    restructured() {
      if (epoch !== null && epoch !== feed.epoch) renew();
      epoch = feed.epoch;
      if (feed.rooms.has(id)) days.want(id);
      show();
    },
    health() {},
    link() {
      if (feed.live) keepPages();
      show();
    },
    refused: async () => {
      if (ticket === null) return tokenFor(api, words);
      find("plan").hidden = true; // a ticket is for the check-in alone
      return new Promise(() => {});
    },
    accepted: tokenAccepted,
  },
  id,
);

function show() {
  const now = clock.now();
  const room = feed.rooms.get(id);
  checkIn?.show(room ?? null);
  if (room === undefined || !clock.known) {
    showNothing();
    return;
  }
  const description = describe(room, now, words, feed);
  setStatus(description.status, description.word);
  document.title = `${room.name}: ${description.word}`;
  if (find("name").textContent !== room.name) find("name").replaceChildren(bdi(room.name));
  setText(find("date"), `${words.date(now, room.timeZone)}, ${words.time(now, room.timeZone)}`);
  setText(find("until"), description.reason || [description.until, description.left].filter(Boolean).join(" · "));
  const readAt = days.readAt(room);
  setText(find("read"), readAt === null ? words.text("read.never") : words.text("read", { ago: words.ago(now - readAt) }));
  showDay(days.of(id, now), room, now);
}

/** Before the first document, and for a room that does not exist. */
function showNothing() {
  setStatus("unknown", words.text(feed.missing ? "panel.missing" : "status.unknown"));
  setText(find("until"), feed.missing ? words.text("panel.missing.id", { id }) : words.text(feed.lost ? "reason.offline" : "panel.waiting"));
  for (const name of ["list", "read", "date"]) find(name).replaceChildren();
  listed = "";
}

function setStatus(status, word) {
  set(document.body, "data-status", status);
  statusShape(find("shape"), status);
  setText(find("word"), word);
}

function showDay(day, room, now) {
  const key = day === null ? "none" : `${Math.floor(now / 60_000)} ${JSON.stringify(day.meetings)}`;
  if (listed === key) return;
  listed = key;
  const none = day === null ? words.text("day.unknown") : day.meetings.length === 0 ? words.text("day.free") : null;
  find("list").replaceChildren(none === null ? listOf(day, room, words, now) : el("p", { class: "none" }, none));
}

async function offerCheckIn() {
  api.ticket = ticket;
  const { CheckIn } = await import("./check_in.js");
  checkIn = await CheckIn.begin(find("check-in"), api, clock, id, words, ticket);
  show();
}

setInterval(() => {
  days.tick();
  show();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  show();
  feed.hurry();
});
addEventListener("hashchange", () => location.reload()); // another code was scanned
find("name").textContent = id;
show();
if (ticket !== null) offerCheckIn().catch(() => {}); // without its files the page is one without the button
feed.run();
