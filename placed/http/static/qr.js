// The QR code on a panel. It opens the room's day on a phone; while a meeting waits for a check-in, it contains a
// ticket for that if the panel's token allows a check-in.

import { loadStyles, loadTexts } from "./action_files.js";
import { el, set, setText, svg } from "./dom.js";

const AGAIN = 60_000; // ms after which a ticket is renewed, long before it expires
const RETRY = 10_000;

export class QrCode {
  #api;
  #clock;
  #id;
  #words;
  #askAt = -Infinity; // in steady ms
  #subject = null; // what the code was made for
  #until = null; // when the check-in closes; null if the code contains no ticket
  #path = svg("path");
  #svg = svg("svg", { role: "img" }, this.#path);
  #caption = el("figcaption");
  #element = el("figure", { class: "qr" }, this.#svg, this.#caption);

  static async begin(api, clock, id, words) {
    await Promise.all([loadStyles(), loadTexts(words)]);
    return new QrCode(api, clock, id, words);
  }

  constructor(api, clock, id, words) {
    this.#api = api;
    this.#clock = clock;
    this.#id = id;
    this.#words = words;
    this.#element.hidden = true;
    document.querySelector(".state").append(this.#element);
  }

  /** Called every second: asks for another code when the check-in changes, and while a ticket has to be renewed. */
  show(room, known) {
    const { checkIn } = room ?? { checkIn: null };
    const subject = `${room?.epoch} ${checkIn?.state} ${checkIn?.meeting}`;
    const steady = this.#clock.steady();
    const visible = known && document.visibilityState === "visible";
    if (visible && (subject !== this.#subject || steady > this.#askAt)) this.#ask(subject);
    // A code whose check-in has closed leads to a page that only reports this; it is not shown.
    this.#element.hidden = !visible || this.#path.getAttribute("d") === null || (this.#until !== null && this.#clock.now() >= this.#until);
    set(document.body, "data-qr", this.#element.hidden ? null : this.#until === null ? "day" : "check-in");
  }

  async #ask(subject) {
    this.#subject = subject;
    this.#askAt = this.#clock.steady() + RETRY;
    try {
      const { size, path, check_in: checkIn } = await this.#api.json(`api/v1/rooms/${this.#id}/qr`, { panel: true });
      if (this.#subject !== subject) return;
      this.#askAt = checkIn === null ? Infinity : this.#clock.steady() + AGAIN;
      this.#until = checkIn === null ? null : Date.parse(checkIn.until);
      set(this.#svg, "viewBox", `0 0 ${size} ${size}`);
      set(this.#path, "d", path);
      const caption = this.#words.text(checkIn === null ? "act.qr.day" : "act.qr.check-in");
      setText(this.#caption, caption);
      set(this.#svg, "aria-label", this.#words.text("act.qr.label", { text: caption }));
    } catch {
      // try again later
    }
  }
}
