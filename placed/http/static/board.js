// The board: every room, live.

import { Api, tokenAccepted, tokenFor } from "./api.js";
import { ServerClock } from "./clock.js";
import { Days } from "./days.js";
import { Detail } from "./detail.js";
import { el, setText, set, shape } from "./dom.js";
import { Feed } from "./feed.js";
import { NOTHING, asksNothing, fromAddress, matcher, toAddress } from "./filters.js";
import { HealthStrip } from "./health.js";
import { keepPages } from "./offline.js";
import { renew } from "./renew.js";
import { Tiles } from "./tiles.js";
import { loadWords } from "./words.js";

const find = (id) => document.getElementById(id);
const kiosk = new URLSearchParams(location.search).has("kiosk");
document.documentElement.classList.toggle("kiosk", kiosk);

const words = await loadWords();
document.title = words.text("title");

const clock = new ServerClock(() => feed.hurry());
const api = new Api(clock);
const days = new Days(api, clock, (ids) => {
  tiles.dated(ids);
  showDetail();
});
const withRoom = (id) => {
  const query = new URLSearchParams(location.search);
  if (id === null) query.delete("room");
  else query.set("room", id);
  const text = query.toString().replace(/\bkiosk=(?=&|$)/, "kiosk");
  return text ? `?${text}` : location.pathname;
};
const tiles = new Tiles(find("rooms"), words, clock, days, (id) => `?room=${encodeURIComponent(id)}`);
const strip = new HealthStrip(find("health"), words);
const detail = new Detail(find("detail"), words, api, days, (id) => {
  if (new URLSearchParams(location.search).has("room")) history.replaceState(null, "", withRoom(null));
  if (id !== null) tiles.focus(id);
});
let epoch = null;
let away = false; // whether the daemon was unreachable at the last attempt
let filters = fromAddress(location.search);
let matches; // whether a room is shown
let counting; // whether a room counts in the summary, which ignores the filters by status

const feed = new Feed(api, clock, {
  changed(ids) {
    tiles.update(ids);
    if (ids.has(detail.id)) days.want(detail.id);
    tick();
  },
  restructured() {
    if (epoch !== null && epoch !== feed.epoch) renew();
    epoch = feed.epoch;
    tiles.lay(feed.rooms);
    if (detail.id !== null) days.want(detail.id);
    offerChoices();
    tick();
    document.body.removeAttribute("aria-busy");
  },
  health() {
    strip.show(feed.connections, clock.now(), feed.connected);
    if (detail.id !== null) days.refresh(detail.id); // the time of the last reading may have changed
  },
  link() {
    if (feed.live && away) renew();
    if (feed.live) keepPages();
    away = !feed.live;
    tick();
  },
  refused: () => tokenFor(api, words),
  accepted: tokenAccepted,
});

function setMatchers() {
  matches = matcher(filters);
  counting = matcher({ ...filters, free: "", status: "" });
}
setMatchers();

// --- updates over time ---

const summary = Object.fromEntries(
  ["free", "starting", "pending", "busy", "unknown"].map((status) => {
    const number = el("b", {}, "–");
    const label = el("span", {}, words.text(`status.${status}`));
    find("summary").append(el("li", { "data-status": status, hidden: status === "pending" }, shape(status), number, label));
    return [status, number];
  }),
);
let announced = null;

function tick() {
  const now = clock.now();
  tiles.link = feed;
  const { counts, shown, all, checkIn } = tiles.tick(now, matches, counting);
  for (const [status, number] of Object.entries(summary)) {
    setText(number, feed.epoch === null ? "–" : words.number(counts[status]));
  }
  summary.pending.parentElement.hidden = !checkIn;
  find("waiting").hidden = !checkIn && !filters.status;
  const count = asksNothing(filters) ? words.text("count.all", { count: all }) : words.text("count.some", { count: all, shown });
  setText(find("count"), clock.known ? count : "");
  const unheard = feed.epoch === null; // then it is not known whether there are rooms
  find("nothing").hidden = unheard ? !feed.lost : shown > 0;
  setText(find("nothing-text"), words.text(unheard ? "empty.offline" : all === 0 ? "empty.rooms" : "empty.filters"));
  find("clear").hidden = asksNothing(filters);
  find("clear-too").hidden = unheard || all === 0 || asksNothing(filters);
  if (clock.known) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    setText(find("clock"), words.time(now, zone));
    setText(find("today"), words.date(now, zone));
  }
  showLink();
  showDetail();
}

function showLink() {
  const { lost } = feed;
  const banner = find("offline");
  if (banner.hidden !== lost) return;
  banner.hidden = !lost;
  set(document.body, "data-offline", lost);
  if (lost) announced = "offline";
  const text = lost ? words.text("offline") : announced === "offline" ? words.text("online") : "";
  setText(banner.querySelector("span"), words.text("offline"));
  if (text) setText(find("live"), text);
}

function showDetail() {
  if (detail.id === null || !clock.known) return;
  detail.show(feed.rooms.get(detail.id), clock.now(), feed);
}

setInterval(() => {
  days.tick();
  tick();
  strip.show(feed.connections, clock.now(), feed.connected);
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  tick();
  feed.hurry();
});

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  tick();
  feed.hurry();
});

// --- filters ---

const form = find("filters");

function offer(name, values) {
  const select = form.elements[name];
  const wanted = [["", words.text(`filter.${name}.any`)], ...values.map((value) => [value, value])];
  if (filters[name] && !values.includes(filters[name])) wanted.push([filters[name], filters[name]]);
  const before = [...select.options].map((option) => option.value).join("\n");
  if (before !== wanted.map(([value]) => value).join("\n")) {
    select.replaceChildren(...wanted.map(([value, text]) => el("option", { value }, text)));
  }
  select.value = filters[name];
  select.closest("label").hidden = values.length === 0;
}

function offerChoices() {
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const rooms = [...feed.rooms.values()];
  const names = (some, key) => [...new Set(some.map((room) => room[key]).filter(Boolean))].sort(compare);
  offer("building", names(rooms, "building"));
  offer("floor", names(filters.building ? rooms.filter((room) => room.building === filters.building) : rooms, "floor"));
  const largest = Math.max(0, ...rooms.map((room) => room.capacity ?? 0));
  const steps = [2, 4, 6, 8, 10, 12, 16, 20, 30, 50, 100].filter((step) => step <= largest).map(String);
  offer("capacity", steps);
  for (const option of form.elements.capacity.options) {
    if (option.value) setText(option, words.text("filter.capacity.least", { count: Number(option.value) }));
  }
}

function showFilters() {
  form.elements.q.value = filters.q;
  for (const radio of form.elements.free) radio.checked = radio.value === filters.free;
  form.elements.status.checked = filters.status !== "";
  offerChoices();
}

let announcing = null;

function apply(next) {
  filters = next;
  setMatchers();
  history.replaceState(history.state, "", location.pathname + toAddress(filters, location.search));
  offerChoices();
  tick();
  clearTimeout(announcing);
  announcing = setTimeout(() => setText(find("live"), find("count").textContent), 700);
}

function readForm() {
  const data = new FormData(form);
  const next = Object.fromEntries(Object.keys(NOTHING).map((name) => [name, (data.get(name) ?? "").trim()]));
  if (next.building !== filters.building) {
    const floors = [...feed.rooms.values()].filter((room) => !next.building || room.building === next.building);
    if (!floors.some((room) => room.floor === next.floor)) next.floor = "";
  }
  apply(next);
}

form.addEventListener("input", readForm);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  filters = { ...NOTHING };
  showFilters();
  apply(filters);
});
find("clear-too").addEventListener("click", () => form.reset());
form.elements.q.placeholder = words.text("filter.q");
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, dialog");
  if (event.key === "/" && !typing && !kiosk && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    form.elements.q.focus();
  }
});

// --- the detail of a room ---

function openFromAddress() {
  const id = new URLSearchParams(location.search).get("room");
  if (id === null) return detail.close();
  days.want(id);
  detail.open(id);
  showDetail();
}

find("rooms").addEventListener("click", (event) => {
  const link = event.target.closest("a.name");
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState(null, "", withRoom(link.closest("li").dataset.room));
  openFromAddress();
});
addEventListener("popstate", () => {
  filters = fromAddress(location.search);
  setMatchers();
  showFilters();
  openFromAddress();
  tick();
});

showFilters();
openFromAddress();
if (kiosk) {
  // Loaded here, since no other view needs it.
  import("./kiosk.js").then(({ runKiosk, stayAwake }) => {
    runKiosk();
    stayAwake();
  });
}
feed.run();
