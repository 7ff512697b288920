// The strip that tells how each connection is.

import { bdi, el, shape } from "./dom.js";

const SOON = 30; // days that a credential should still have

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

/** One connection's facts. */
function card(health, words, now, zone, connected) {
  const grade = connected ? GRADES.state[health.state] : "wait";
  const state = connected ? health.state : "offline";
  const say = (name, values) => words.say(`health.${name}`, values);
  const failing = health.failing.length;
  const facts = [
    fact(
      say("read"),
      health.last_success === null ? say("never") : words.ago(now - Date.parse(health.last_success)),
      grade,
    ),
    fact(say("consent"), say(`consent.${health.consent}`), GRADES.consent[health.consent] ?? "wait"),
    fact(
      say("fence"),
      health.fence.checked_at === null
        ? say(`fence.${health.fence.state}`)
        : `${say(`fence.${health.fence.state}`)} (${words.when(Date.parse(health.fence.checked_at), zone, now)})`,
      health.fence.warnings.length > 0 && health.fence.state === "verified" ? "wait" : GRADES.fence[health.fence.state],
    ),
    fact(
      say("failing"),
      failing === 0 ? say("none") : say("of", { count: failing, all: health.rooms }),
      failing === 0 ? "good" : "bad",
    ),
  ];
  if (health.credential_expires_at !== null) {
    const days = words.days(Date.parse(health.credential_expires_at) - now);
    const grade = days < 0 ? "bad" : days < SOON ? "wait" : "good";
    facts.push(fact(say("credential"), days < 0 ? say("expired") : say("days", { count: days }), grade));
  }
  const notes = [
    health.problem,
    health.remedy,
    health.fence.excess.length > 0 ? say("excess", { permissions: health.fence.excess.join(", ") }) : null,
    ...health.fence.warnings,
  ].filter(Boolean);
  return el(
    "li",
    { class: "connection", "data-grade": grade, "data-connection": health.name },
    el("h3", {}, shape(MARKS[grade]), bdi(health.name), el("span", {}, say(`state.${state}`))),
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

  /** Shows the connections as they are known at a moment; without a connection to the daemon they are as they were. */
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
