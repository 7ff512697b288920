// The rooms as tiles, by building and floor. Only tiles near the visible area are filled.

import { bdi, el, setText, set, statusShape } from "./dom.js";
import { statusAt } from "./room.js";
import { checkInOf, describe, describePresence, floorOf, nameOf, untilOf } from "./description.js";
import { Timeline } from "./timeline.js";

const ALWAYS = 300; // up to this many rooms every tile is filled, so that find-in-page and screen readers find all
const WIDTH = 16.3; // minimum size of a tile with its gap, in rem
const HEIGHT = 12.85;
const HEADING = 2.6;
const AROUND = "400px 0px"; // margin around the visible area

class Tile {
  constructor(id) {
    this.id = id;
    this.link = el("a", { class: "name", href: "#" });
    this.item = el("li", { class: "tile", "data-room": id }, this.link);
    this.parts = null;
    this.shownName = null;
  }

  /** Sets name and link, which empty tiles have as well. */
  label(room, href) {
    if (this.shownName !== room.name) {
      this.shownName = room.name;
      this.link.replaceChildren(bdi(room.name));
    }
    set(this.link, "href", href(room.id));
  }

  fill() {
    if (this.parts !== null) return;
    const parts = {
      shape: el("span", { class: "mark-shape" }),
      word: el("span", { class: "word" }),
      until: el("span", { class: "until" }),
      left: el("span", { class: "left" }),
      seats: el("span"),
      seated: el("span", { class: "unseen" }),
      note: el("p", { class: "note" }),
      presence: el("p", { class: "presence", id: `presence-${this.id}` }),
      meeting: el("p", { class: "meeting" }),
      timeline: new Timeline(4),
    };
    this.parts = parts;
    this.link.setAttribute("aria-describedby", `status-${this.id} times-${this.id} presence-${this.id}`);
    this.item.append(
      (parts.capacity = el("p", { class: "seats" }, parts.seats, parts.seated)),
      el("p", { class: "status", id: `status-${this.id}` }, parts.shape, parts.word),
      el("p", { class: "times", id: `times-${this.id}` }, parts.until, " ", parts.left),
      parts.presence,
      parts.meeting,
      parts.note,
      parts.timeline.element,
    );
  }

  empty() {
    if (this.parts === null) return;
    this.parts = null;
    this.link.removeAttribute("aria-describedby");
    this.item.replaceChildren(this.link);
    for (const name of ["data-status", "data-until", "data-valid-until", "data-why", "data-use"]) this.item.removeAttribute(name);
  }

  show(room, now, words, day, readAt, link) {
    const { parts, item } = this;
    const description = describe(room, now, words, link);
    set(item, "data-status", description.status);
    set(item, "data-until", untilOf(room, description.status));
    set(item, "data-valid-until", description.status === "unknown" ? null : new Date(room.validUntil).toISOString());
    set(item, "data-why", description.why);
    set(item, "data-stale", room.stale && description.status !== "unknown");
    const presence = describePresence(room, now, words, link);
    set(item, "data-use", presence.use);
    setText(parts.presence, presence.text);
    statusShape(parts.shape, description.status);
    setText(parts.word, description.word);
    setText(parts.until, description.until);
    setText(parts.left, description.left);
    set(parts.capacity, "data-known", room.capacity !== null);
    setText(parts.seats, room.capacity === null ? "" : words.number(room.capacity));
    setText(parts.seated, room.capacity === null ? "" : ` (${words.text("seats", { count: room.capacity })})`);
    this.#meeting(room, description.status, words);
    const age = readAt === null ? "" : words.text("read", { ago: words.ago(now - readAt) });
    setText(parts.note, description.reason || (room.stale && description.status !== "unknown" ? age : ""));
    parts.timeline.show(day, room, words, now, room.stale || description.status === "unknown");
  }

  #meeting(room, status, words) {
    const running = status === "busy" || status === "pending" ? room.current : status === "starting" ? room.next : null;
    const name = running === null ? null : nameOf(running, words);
    const checkedIn = status === "busy" ? checkInOf(room, words) : null;
    const key = `${name?.own.join("\n") || name?.text} ${checkedIn}`;
    if (this.meetingKey === key && this.meetingIn === this.parts.meeting) return;
    this.meetingKey = key;
    this.meetingIn = this.parts.meeting;
    const texts = name === null ? [] : name.own.length > 0 ? name.own.map((text) => bdi(text)) : [name.text];
    if (checkedIn !== null) texts.push(checkedIn);
    this.parts.meeting.replaceChildren(...texts.flatMap((part, index) => (index ? [" · ", part] : [part])));
  }
}

const inOrder = (words) => new Intl.Collator(words.plurals.resolvedOptions().locale, { numeric: true }).compare;

export class Tiles {
  #holder;
  #words;
  #clock;
  #days;
  #href;
  #tiles = new Map();
  #near = new Set(); // ids of tiles that are filled
  #groups = [];
  #observer = null;
  #statuses = new Map();
  rooms = new Map();
  link = { live: true, connected: true }; // the link to the daemon, as in `describe`

  constructor(holder, words, clock, days, href) {
    this.#holder = holder;
    this.#words = words;
    this.#clock = clock;
    this.#days = days;
    this.#href = href;
    new ResizeObserver(() => this.#estimate()).observe(holder);
    addEventListener("beforeprint", () => this.#tiles.forEach((tile) => this.#enter(tile)));
  }

  /** Arranges all rooms again; the tiles of remaining rooms are kept. */
  lay(rooms) {
    this.rooms = rooms;
    this.#observer?.disconnect();
    const kept = this.#tiles;
    this.#tiles = new Map();
    for (const room of rooms.values()) {
      const tile = kept.get(room.id) ?? new Tile(room.id);
      kept.delete(room.id);
      tile.label(room, this.#href);
      this.#tiles.set(room.id, tile);
    }
    for (const tile of kept.values()) this.#leave(tile);
    this.#groups = this.#group(rooms);
    this.#holder.replaceChildren(...this.#groups.map((group) => group.element));
    this.#holder.classList.toggle("many", rooms.size > ALWAYS);
    this.#estimate();
    if (rooms.size > ALWAYS) {
      this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: AROUND });
      for (const tile of this.#tiles.values()) this.#observer.observe(tile.item);
    } else {
      this.#observer = null;
      for (const tile of this.#tiles.values()) this.#enter(tile);
    }
  }

  /** The estimated height of a floor that is not drawn yet, for the scroll bar. */
  #estimate() {
    if (this.#tiles.size <= ALWAYS) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const columns = Math.max(1, Math.floor(this.#holder.clientWidth / (WIDTH * rem)));
    for (const { floors } of this.#groups) {
      for (const { element, rooms } of floors) {
        const height = HEADING + HEIGHT * Math.ceil(rooms.length / columns);
        element.style.containIntrinsicBlockSize = `auto ${height}rem`;
      }
    }
  }

  #group(rooms) {
    const words = this.#words;
    const compare = inOrder(words);
    const known = (a, b) => (a === null) - (b === null) || compare(a ?? "", b ?? "");
    const sorted = [...rooms.values()].sort(
      (a, b) => known(a.building, b.building) || known(a.floor, b.floor) || compare(a.name, b.name) || (a.id < b.id ? -1 : 1),
    );
    const named = sorted.some((room) => room.building !== null);
    const buildings = [];
    let building = null;
    let floor = null;
    for (const room of sorted) {
      if (building === null || building.name !== room.building) {
        building = { name: room.building, floors: [], zone: room.timeZone };
        buildings.push(building);
        floor = null;
      }
      if (floor === null || floor.name !== room.floor) {
        floor = { name: room.floor, rooms: [], list: el("ul", { class: "tiles" }) };
        building.floors.push(floor);
      }
      floor.rooms.push(room.id);
      floor.list.append(this.#tiles.get(room.id).item);
    }
    const zones = new Set(sorted.map((room) => room.timeZone));
    const foreign = zones.size > 1 || !zones.has(Intl.DateTimeFormat().resolvedOptions().timeZone);
    return buildings.map((one) => {
      const clock = foreign ? el("span", { class: "zone" }) : null;
      const title = one.name ?? (named ? words.text("building.none") : words.text("building.all"));
      one.clock = clock;
      for (const each of one.floors) {
        const heading = each.name === null ? null : el("h3", {}, bdi(floorOf(each.name, words)));
        each.element = el("section", { class: "floor" }, heading, each.list);
      }
      one.element = el(
        "section",
        { class: "building" },
        el("h2", { class: named || foreign ? null : "unseen" }, bdi(title), clock),
        ...one.floors.map((each) => each.element),
      );
      return one;
    });
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const tile = this.#tiles.get(target.dataset.room);
      if (tile === undefined) continue;
      if (isIntersecting) this.#enter(tile);
      else this.#leave(tile);
    }
  }

  #enter(tile) {
    tile.fill();
    if (!this.#near.has(tile.id)) {
      this.#near.add(tile.id);
      this.#days.want(tile.id);
    }
    this.#show(tile, this.#clock.now());
  }

  #leave(tile) {
    tile.empty();
    this.#near.delete(tile.id);
    this.#days.drop(tile.id);
  }

  #show(tile, now) {
    const room = this.rooms.get(tile.id);
    if (room !== undefined) tile.show(room, now, this.#words, this.#days.of(tile.id, now), this.#days.readAt(room), this.link);
  }

  /** Some rooms have changed. */
  update(ids) {
    const now = this.#clock.now();
    for (const id of ids) {
      if (!this.#near.has(id)) continue;
      this.#show(this.#tiles.get(id), now);
      this.#days.want(id);
    }
  }

  /** The meetings of these rooms have arrived. */
  dated(ids) {
    const now = this.#clock.now();
    for (const id of ids) if (this.#near.has(id)) this.#show(this.#tiles.get(id), now);
  }

  /** Updates all tiles to this time. Returns the count of rooms by status, and of rooms shown. */
  tick(now, matches, counting) {
    for (const id of this.#near) this.#show(this.#tiles.get(id), now);
    const counts = { free: 0, starting: 0, busy: 0, pending: 0, unknown: 0 };
    const hidden = new Set();
    const { connected } = this.link;
    let checkIn = false; // whether there is a room that can be checked in to
    for (const room of this.rooms.values()) {
      if (counting(room, now, connected)) counts[statusAt(room, now, connected)] += 1;
      checkIn ||= room.checkIn !== null || room.status === "pending";
      if (!matches(room, now, connected)) hidden.add(room.id);
    }
    for (const building of this.#groups) {
      let any = false;
      if (building.clock !== null) {
        setText(building.clock, `${this.#words.time(now, building.zone)} ${this.#words.zone(now, building.zone)}`);
      }
      for (const floor of building.floors) {
        let some = false;
        for (const id of floor.rooms) {
          const gone = hidden.has(id);
          const { item } = this.#tiles.get(id);
          if (item.hidden !== gone) item.hidden = gone;
          some ||= !gone;
        }
        if (floor.element.hidden === some) floor.element.hidden = !some;
        any ||= some;
      }
      if (building.element.hidden === any) building.element.hidden = !any;
    }
    return { counts, shown: this.rooms.size - hidden.size, all: this.rooms.size, checkIn };
  }

  focus(id) {
    this.#tiles.get(id)?.link.focus();
  }
}
