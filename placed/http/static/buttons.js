// The buttons of a panel as elements, and the line that shows the outcome. They are for fingers, keys and screen readers.

import { el, set, setText } from "./dom.js";

export class Buttons {
  element;

  #words;
  #list = el("div", { class: "buttons" });
  #status = el("p", { class: "outcome", role: "status" });
  #presses = new Map(); // what a button does, by its key
  #shown = "";
  #asking = false;

  constructor(words) {
    this.#words = words;
    this.element = el("section", { class: "actions", "aria-label": words.text("act.title") }, this.#status, this.#list);
    this.element.hidden = true;
    this.#list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button !== null && !this.#asking) this.#presses.get(button.dataset.key)?.();
    });
  }

  /** Shows a line {name, tone}, or none; while the daemon is asked for an action, the buttons do nothing. */
  announce(line, asking) {
    setText(this.#status, line === null ? "" : this.#words.text(line.name));
    set(this.#status, "data-tone", line?.tone);
    set(document.body, "data-asking", asking);
    this.#asking = asking !== null;
  }

  /** A button for each offer, as in `offersOf`. */
  offer(offers, room, now, press) {
    const words = this.#words;
    const buttons = offers.map((offer) => {
      const duration = offer.minutes === null ? null : words.left(offer.minutes * 60_000);
      const button = { key: `${offer.action} ${offer.minutes ?? ""}`.trim(), kind: offer.action, note: "", press: () => press(offer) };
      if (offer.action === "book") return { ...button, text: words.text("act.book", { duration }) };
      if (offer.action === "extend") return { ...button, text: words.text("act.extend", { duration }) };
      if (offer.action === "end") return { ...button, text: words.text("act.end") };
      const left = words.text("act.left", { duration: words.left(offer.left) });
      const starts = offer.starts === null ? null : words.text("act.starts", { time: words.when(offer.starts, room.timeZone, now) });
      return { ...button, text: words.text("act.check-in"), note: starts ?? left };
    });
    this.#show("", buttons);
  }

  /** Asks whether the meeting is to be ended. */
  confirm(yes, no) {
    const words = this.#words;
    this.#show(words.text("act.confirm"), [
      { key: "no", kind: "no", text: words.text("act.confirm.no"), note: "", press: no },
      { key: "yes", kind: "yes", text: words.text("act.confirm.yes"), note: "", press: yes },
    ]);
  }

  #show(question, buttons) {
    this.#presses = new Map(buttons.map(({ key, press }) => [key, press]));
    this.element.hidden = buttons.length === 0 && this.#status.textContent === "";
    set(document.body, "data-acts", !this.element.hidden);
    const shown = `${question} ${buttons.map(({ key }) => key)}`;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#replace(question, buttons);
    }
    for (const { key, text, note } of buttons) {
      const button = this.#find(key);
      setText(button.children[0], text);
      setText(button.children[1], note);
      set(button, "aria-disabled", this.#asking ? "true" : null);
    }
  }

  /** Replaces the buttons. Where one of them had the focus, another gets it, so that keys go on working. */
  #replace(question, buttons) {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    set(this.#list, "role", question ? "group" : null);
    set(this.#list, "aria-label", question || null);
    this.#list.replaceChildren(
      ...(question ? [el("p", { class: "question" }, question)] : []),
      ...buttons.map(({ key, kind }) => el("button", { type: "button", "data-key": key, "data-kind": kind }, el("span"), el("small"))),
    );
    if (focused !== null) (this.#find(focused) ?? this.#list.querySelector("button"))?.focus();
  }

  #find(key) {
    return [...this.#list.children].find((child) => child.dataset.key === key) ?? null;
  }
}
