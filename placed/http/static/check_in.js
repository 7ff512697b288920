// The button with which a phone checks in, by the ticket of the QR code on the panel.

import { loadTexts } from "./action_files.js";
import { ask } from "./commands.js";
import { el, set, setText } from "./dom.js";

export class CheckIn {
  #api;
  #clock;
  #id;
  #words;
  #meeting; // its start, in ms; the ticket begins with it
  #asking = false;
  #outcome = null; // {name, tone}, once the daemon has answered
  #button;
  #status = el("p", { class: "outcome", role: "status" });

  static async begin(holder, api, clock, id, words, ticket) {
    await loadTexts(words);
    const made = new CheckIn(api, clock, id, words, 1000 * Number(ticket.split(".")[0]));
    holder.replaceChildren(made.#button, made.#status);
    return made;
  }

  constructor(api, clock, id, words, meeting) {
    this.#api = api;
    this.#clock = clock;
    this.#id = id;
    this.#words = words;
    this.#meeting = meeting;
    this.#button = el("button", { type: "button", class: "check-in", onclick: () => this.#press() }, words.text("act.check-in"));
  }

  /** @param room null where the daemon does not let everybody read it */
  show(room) {
    const checkIn = room?.checkIn ?? null;
    const same = checkIn?.meeting === this.#meeting;
    const offered = room === null || (same && checkIn.state === "open");
    this.#button.hidden = this.#outcome?.tone === "good" || (!offered && !this.#asking);
    set(this.#button, "aria-disabled", this.#asking ? "true" : null);
    const other = offered ? "" : same && checkIn.state === "done" ? "act.phone.done" : "act.phone.over";
    const name = this.#asking ? "act.asking" : (this.#outcome?.name ?? other);
    setText(this.#status, name === "" ? "" : this.#words.text(name));
  }

  async #press() {
    if (this.#asking) return;
    this.#asking = true;
    this.show(null);
    const offer = { action: "check-in", meeting: this.#meeting, until: null };
    const { outcome, reason } = await ask(this.#api, this.#clock, this.#id, offer);
    const refused = this.#words.knows(`act.phone.${reason}`) ? `act.phone.${reason}` : `act.not.${reason}`;
    this.#outcome = outcome === "done" ? { name: "act.done.check-in", tone: "good" } : { name: refused, tone: "bad" };
    this.#asking = false;
    this.show(null);
  }
}
