// One room and its day, in a dialog over the board. `?room=<id>` in the address opens it.

import { PLACED } from "./api.js";
import { bdi, el, setText, set, statusShape } from "./dom.js";
import { checkInOf, describe, floorOf } from "./description.js";
import { Timeline, listOf } from "./timeline.js";

export class Detail {
  id = null;

  #dialog;
  #words;
  #api;
  #days;
  #closed;
  #parts = {};
  #timeline = new Timeline(2);
  #listed = "";
  #readability = null;

  constructor(dialog, words, api, days, closed) {
    this.#dialog = dialog;
    this.#words = words;
    this.#api = api;
    this.#days = days;
    this.#closed = closed;
    const part = (name, tag = "p") => (this.#parts[name] = el(tag, { class: name }));
    this.#parts.panel = el("a", { class: "button" }, words.text("detail.panel"));
    dialog.append(
      el(
        "div",
        { class: "sheet" },
        el(
          "header",
          {},
          el("div", {}, (this.#parts.name = el("h2", { id: "detail-title" })), part("place")),
          el(
            "button",
            { type: "button", class: "close", "aria-label": words.text("close"), onclick: () => dialog.close() },
            "×",
          ),
        ),
        el(
          "div",
          { class: "state" },
          (this.#parts.shape = el("span", { class: "mark-shape" })),
          el("div", {}, part("word"), part("until")),
        ),
        part("reason"),
        el("h3", {}, words.text("detail.day"), " ", (this.#parts.date = el("span", { class: "date" }))),
        this.#timeline.element,
        part("list", "div"),
        part("read"),
        el("footer", {}, this.#parts.panel),
      ),
    );
    dialog.addEventListener("close", () => {
      const id = this.id;
      this.id = null;
      this.#closed(id);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // a click outside the sheet
    });
  }

  open(id) {
    this.id = id;
    this.#listed = "";
    this.#readability = null;
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  show(room, now, link) {
    if (this.id === null) return;
    const { name, place, shape, word, until, reason, date, list, read, panel } = this.#parts;
    if (room === undefined) {
      setText(name, this.#words.text("detail.missing"));
      for (const part of [place, word, until, reason, date, list, read]) part.replaceChildren();
      this.#dialog.dataset.status = "unknown";
      statusShape(shape, "unknown");
      panel.hidden = true;
      return;
    }
    const words = this.#words;
    const description = describe(room, now, words, link);
    set(this.#dialog, "data-status", description.status);
    if (name.textContent !== room.name) name.replaceChildren(bdi(room.name));
    const where = [
      room.building,
      room.floor === null ? null : floorOf(room.floor, words),
      room.capacity === null ? null : words.text("seats", { count: room.capacity }),
    ];
    setText(place, where.filter(Boolean).join(" · "));
    statusShape(shape, description.status);
    setText(word, description.word);
    setText(until, [description.until, description.left, description.status === "busy" && checkInOf(room, words)].filter(Boolean).join(" · "));
    this.#explain(room, description, reason);
    setText(date, `${words.date(now, room.timeZone)}, ${words.zone(now, room.timeZone)}`);
    const readAt = this.#days.readAt(room);
    setText(read, readAt === null ? words.text("read.never") : words.text("read", { ago: words.ago(now - readAt) }));
    panel.hidden = false;
    set(panel, "href", new URL(`rooms/${encodeURIComponent(room.id)}`, PLACED).href);
    const day = this.#days.of(room.id, now);
    this.#timeline.show(day, room, words, now, room.stale || description.status === "unknown");
    const minute = Math.floor(now / 60_000);
    const key = day === null ? "none" : `${room.id} ${minute} ${JSON.stringify(day.meetings)}`;
    if (this.#listed !== key) {
      this.#listed = key;
      const none = day === null ? words.text("day.unknown") : day.meetings.length === 0 ? words.text("day.free") : null;
      list.replaceChildren(none === null ? listOf(day, room, words, now) : el("p", { class: "none" }, none));
    }
  }

  /** Shows why the room is unknown or stale, with the service's message and the remedy if available. */
  #explain(room, description, reason) {
    const doubtful = description.reason !== "" || room.stale;
    if (!doubtful) {
      setText(reason, "");
      return;
    }
    const key = `${room.id} ${room.reason}`;
    if (this.#readability?.key !== key) {
      this.#readability = { key, text: "" };
      this.#ask(room, this.#readability);
    }
    const words = this.#words;
    const first = description.reason || words.text("stale");
    setText(reason, [first, this.#readability.text].filter(Boolean).join(" — "));
  }

  async #ask(room, readability) {
    try {
      const { rooms } = await this.#api.json(`api/v1/connections/${encodeURIComponent(room.connection)}/rooms`);
      const found = rooms.find((one) => one.room === room.id);
      readability.text = [found?.detail, found?.remedy].filter(Boolean).join(" — ");
    } catch {
      // show the reason only
    }
  }
}
