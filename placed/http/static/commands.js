// Asks the daemon to do something with a room, and waits for what becomes of it.

import { Missing } from "./api.js";

const AGAIN = 1000; // ms between two questions for the outcome, and before a request is repeated
const PATIENCE = 60_000; // ms in which the outcome has to be known
const REPEATED = 20_000; // ms in which a request without an answer is repeated, under the same key

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const timestamp = (ms) => (ms === null ? null : new Date(ms).toISOString().replace(".000Z", "Z"));

/** A new key, which makes it safe to repeat the request. `crypto.randomUUID` exists over https only. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Reads a problem document; `reason` is a word of the daemon's closed list, if it is one of the rules. */
async function reasonOf(response) {
  try {
    return (await response.json()).reason ?? null;
  } catch {
    return null;
  }
}

/**
 * Returns {outcome, reason, epoch, seq}: done, refused or uncertain. It never fails: without an answer it is uncertain.
 *
 * @param offer as in `offersOf`
 */
export async function ask(api, clock, room, offer) {
  const { action, meeting, until } = offer;
  const begun = clock.steady();
  const body = JSON.stringify({ action, meeting: timestamp(meeting), until: timestamp(until) });
  const key = newKey();
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  let sent = () => api.open(`api/v1/rooms/${room}/actions`, { method: "POST", headers, body, panel: true });
  let accepted = false;
  while (clock.steady() - begun < PATIENCE) {
    try {
      const response = await sent();
      const reply = await response.json();
      if (response.status !== 202 && reply.outcome !== "accepted") return reply;
      sent = () => api.open(`api/v1/actions/${key}`, { panel: true });
      accepted = true;
    } catch (error) {
      const reason = await refusalOf(error, accepted);
      if (reason !== null) return { outcome: "refused", reason };
      if (!accepted && clock.steady() - begun > REPEATED) break; // it would be refused as too old
    }
    await pause(AGAIN);
  }
  return { outcome: "uncertain", reason: "unanswered" };
}

/** Why the daemon refuses; null if the error names no reason, as without a network. */
async function refusalOf(error, accepted) {
  const { response } = error;
  if (response === undefined) return null;
  const reason = await reasonOf(response);
  if (reason !== null || accepted || response.status >= 500) return reason;
  if (error instanceof Missing) return "no_such_room";
  return response.status === 429 ? "throttled" : "not_allowed";
}
