// The strip that shows the health of each connection.

import { bdi, el, shape } from "./dom.js";

const SOON = 30; // days before the expiry of a credential at which the strip warns

const GRADES = {
  state: { ok: "good", starting: "wait", failing: "bad", refused: "bad", breached: "bad" },
  consent: { granted: "good", requested: "wait", unknown: "wait", missing: "bad", declined: "bad", revoked: "bad" },
  fence: { verified: "good", unproven: "wait", excess: "bad", breached: "bad" },
};
const MARKS = { good: "free", wait: "starting", bad: "busy" };

function fact(name, value, grade) {
  return el(
    "div",
    { class: "fact", "data-grade": grade },
    el("dt", {}, name),
    el("dd", {}, grade === "good" ? null : shape(MARKS[grade]), value),
  );
}

/** The card of one connection. */
function card(health, words, now, zone, connected) {
  const grade = connected ? GRADES.state[health.state] : "wait";
  const state = connected ? health.state : "offline";
  const text = (name, values) => words.text(`health.${name}`, values);
  const failing = health.failing.length;
  const facts = [
    fact(
      text("read"),
      health.last_success === null ? text("never") : words.ago(now - Date.parse(health.last_success)),
      grade,
    ),
    fact(text("consent"), text(`consent.${health.consent}`), GRADES.consent[health.consent] ?? "wait"),
    fact(
      text("fence"),
      health.fence.checked_at === null
        ? text(`fence.${health.fence.state}`)
        : `${text(`fence.${health.fence.state}`)} (${words.when(Date.parse(health.fence.checked_at), zone, now)})`,
      health.fence.warnings.length > 0 && health.fence.state === "verified" ? "wait" : GRADES.fence[health.fence.state],
    ),
    fact(
      text("failing"),
      failing === 0 ? text("none") : text("of", { count: failing, all: health.rooms }),
      failing === 0 ? "good" : "bad",
    ),
  ];
  if (health.credential_expires_at !== null) {
    const days = words.days(Date.parse(health.credential_expires_at) - now);
    const grade = days < 0 ? "bad" : days < SOON ? "wait" : "good";
    facts.push(fact(text("credential"), days < 0 ? text("expired") : text("days", { count: days }), grade));
  }
  const notes = [
    health.problem,
    health.remedy,
    health.fence.excess.length > 0 ? text("excess", { permissions: health.fence.excess.join(", ") }) : null,
    ...health.fence.warnings,
  ].filter(Boolean);
  return el(
    "li",
    { class: "connection", "data-grade": grade, "data-connection": health.name },
    el("h3", {}, shape(MARKS[grade]), bdi(health.name), el("span", {}, text(`state.${state}`))),
    el("dl", {}, ...facts),
    ...(notes.length > 0 ? [el("ul", { class: "notes" }, ...notes.map((note) => el("li", {}, bdi(note))))] : []),
  );
}

export class HealthStrip {
  #list;
  #words;
  #before = "";

  constructor(section, words) {
    this.#list = section.querySelector("ul");
    this.#words = words;
  }

  /** Shows the health of the connections at a moment; the last known one while the daemon cannot be reached. */
  show(connections, now, connected) {
    if (Number.isNaN(now)) return;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const sorted = [...connections.values()].sort((a, b) => a.name.localeCompare(b.name));
    const cards = sorted.map((health) => card(health, this.#words, now, zone, connected));
    const after = cards.map((item) => item.textContent + item.dataset.grade).join("\n");
    if (after === this.#before) return;
    this.#before = after;
    this.#list.replaceChildren(...cards);
  }
}
