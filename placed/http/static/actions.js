// The buttons of a panel. This file is loaded only where the page has a token.
//
// They ask the daemon for something, and show "asking" until the room's statement shows it. What the room is, the
// page shows by the room's statement alone, never by what was asked for.

import { loadStyles, loadTexts } from "./action_files.js";
import { Missing, Refused, tokenFor } from "./api.js";
import { Buttons } from "./buttons.js";
import { ask } from "./commands.js";
import { isOf, offersOf } from "./offers.js";
import { statusAt } from "./room.js";

const AGAIN = 300_000; // ms between two questions for what the token allows, unless the daemon wants them sooner
const SOON = 1000; // ms, at least, between two questions for what an extension may be
const RETRY = 10_000; // ms after which an unanswered question is repeated
const CONFIRM = 15_000; // ms in which ending has to be confirmed
const SHOWN = 12_000; // ms for which an outcome is shown
const LATE = 45_000; // ms in which the statement that shows an action has to come

const sameOffer = (one, other) => one.action === other.action && one.meeting === other.meeting;

/** Which extension the daemon answers that is possible, and of which statement; null from an older daemon. */
function extensionOf({ actions, extension, epoch, seq }) {
  if (extension === undefined || !actions.includes("extend")) return null;
  const { meeting, from, until } = extension ?? {};
  const possible = extension === null ? null : { meeting: Date.parse(meeting), from: Date.parse(from), until: Date.parse(until) };
  return { of: { epoch, seq }, possible };
}

export class Actions {
  #api;
  #clock;
  #feed;
  #id;
  #words;
  #buttons;
  #may = null; // {actions, longest, extension}; null if nothing
  #questionAt = Infinity; // when the daemon was asked for that, in steady ms; later than now: not again
  #askedAt = -Infinity; // the same, whatever came of it
  #again = AGAIN; // ms until it is asked again: a reload may have changed it, and it is a sign that the panel is there
  #notAccepted = false; // whether the daemon does not accept the token
  #confirming = null; // {offer, until}: the offer that waits for a confirmation
  #asking = null; // {offer, reply, since, epoch, seq}: no reply yet is null; epoch and seq are those of the press
  #outcome = null; // {name, tone, until}: the outcome

  static async begin(...parts) {
    await Promise.all([loadStyles(), loadTexts(parts.at(-1))]);
    return new Actions(...parts);
  }

  constructor(api, clock, feed, id, words) {
    this.#api = api;
    this.#clock = clock;
    this.#feed = feed;
    this.#id = id;
    this.#words = words;
    this.#buttons = new Buttons(words);
    document.querySelector("main footer").before(this.#buttons.element);
  }

  /** Asks the reader for the panel's token. */
  async enter() {
    await tokenFor(this.#api, this.#words, "act.token");
    await this.renew();
  }

  /** Asks the daemon what the token allows. */
  async renew() {
    this.#questionAt = this.#askedAt = this.#clock.steady();
    try {
      const { rooms } = await this.#api.json(`api/v1/panel?room=${this.#id}`, { panel: true });
      const found = rooms.find(({ room }) => room === this.#id);
      this.#may =
        found === undefined
          ? null
          : { actions: new Set(found.actions), longest: found.longest_seconds * 1000, extension: extensionOf(found) };
      this.#again = found?.again_seconds > 0 ? 1000 * found.again_seconds : AGAIN;
      this.#notAccepted = false;
      this.#api.keepForPanel();
    } catch (error) {
      if (error instanceof Refused || error instanceof Missing || error.response?.status === 403) {
        this.#may = null;
        this.#notAccepted = error instanceof Refused && (this.#api.isForPanel || (await this.#isOpenToAll()));
        if (!this.#notAccepted) this.#questionAt = Infinity; // it is a reader's
      } else {
        this.#questionAt += RETRY - this.#again;
      }
    }
    this.show();
  }

  /** Whether nobody needs a token to read the room. */
  async #isOpenToAll() {
    try {
      await this.#api.json(`api/v1/rooms/${this.#id}`, { open: true });
      return true;
    } catch {
      return false;
    }
  }

  /** Called every second, and when the room has changed. */
  show() {
    const since = this.#clock.steady() - this.#questionAt;
    const here = this.#feed.connected && document.visibilityState === "visible"; // somebody can check in
    const room = this.#feed.rooms.get(this.#id) ?? null;
    if (since > (here ? this.#again : AGAIN) || (here && this.#mayHaveOther(room))) this.renew();
    const now = this.#clock.now();
    const known = this.#may !== null && room !== null && this.#clock.known && document.visibilityState === "visible";
    const offers = known ? offersOf(room, statusAt(room, now, this.#feed.connected), this.#may, now) : [];
    this.#settle(room, offers);
    const asking = this.#asking?.offer.action ?? null;
    const line = asking === null ? this.#outcome : { name: this.#isShown(room) ? "act.checking" : "act.asking", tone: "asking" };
    this.#buttons.announce(line ?? (this.#notAccepted ? { name: "act.not-accepted", tone: "bad" } : null), asking);
    if (this.#confirming !== null) this.#buttons.confirm(() => this.#send(offers.find((offer) => sameOffer(offer, this.#confirming.offer))), () => this.#keep());
    else this.#buttons.offer(offers, room, now, (offer) => this.#press(offer));
  }

  /** Whether the extensions that are known belong to an earlier statement. */
  #mayHaveOther(room) {
    const extension = this.#may?.extension ?? null;
    if (extension === null || room?.current == null || isOf(extension, room)) return false;
    return this.#clock.steady() - this.#askedAt > SOON;
  }

  /** Ends what has ended: the question for a confirmation, "asking", and the outcome that is shown. */
  #settle(room, offers) {
    const steady = this.#clock.steady();
    const { offer, until } = this.#confirming ?? {};
    if (until < steady || (offer !== undefined && !offers.some((other) => sameOffer(other, offer)))) this.#confirming = null;
    const { reply, since } = this.#asking ?? {};
    if (reply) {
      const come = room !== null && (room.epoch > reply.epoch || (room.epoch === reply.epoch && room.seq >= reply.seq));
      if (come) this.#end(`act.done.${this.#asking.offer.action}`, "good");
      else if (steady - since > LATE) this.#end("act.late", "bad");
    }
    if (this.#outcome?.until < steady) this.#outcome = null;
  }

  /** Whether a newer statement shows a booking already: then the daemon makes sure that it may stay. */
  #isShown(room) {
    const { offer, epoch, seq } = this.#asking;
    if (offer.until === null || room === null || room.epoch !== epoch || room.seq === seq) return false;
    return room.busyUntil !== null && room.busyUntil >= offer.until;
  }

  #end(name, tone) {
    this.#asking = null;
    this.#outcome = { name, tone, until: this.#clock.steady() + SHOWN };
  }

  #keep() {
    this.#confirming = null;
    this.show();
  }

  #press(offer) {
    if (this.#asking !== null) return;
    this.#outcome = null;
    if (offer.action !== "end") {
      this.#send(offer);
      return;
    }
    this.#confirming = { offer, until: this.#clock.steady() + CONFIRM };
    this.show();
  }

  async #send(offer) {
    this.#confirming = null;
    const { epoch, seq } = this.#feed.rooms.get(this.#id);
    const asking = (this.#asking = { offer, reply: null, since: null, epoch, seq });
    this.show();
    const reply = await ask(this.#api, this.#clock, this.#id, offer);
    asking.since = this.#clock.steady();
    if (reply.outcome === "done") asking.reply = reply;
    else this.#end(this.#words.knows(`act.not.${reply.reason}`) ? `act.not.${reply.reason}` : "act.not.unavailable", "bad");
    this.show();
  }
}
