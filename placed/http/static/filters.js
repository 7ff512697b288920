// The filters for rooms, and their form in the page's address. Pure.
//
//   q         words that are part of name, id, building or floor
//   free      now, or a number of minutes
//   status    pending
//   building, floor
//   capacity  minimum number of seats

import { freeFor, statusAt } from "./room.js";

export const NOTHING = Object.freeze({ q: "", free: "", status: "", building: "", floor: "", capacity: "" });
const NAMES = Object.keys(NOTHING);
const FREE = new Set(["now", "30", "60"]);

export function fromAddress(search) {
  const query = new URLSearchParams(search);
  const found = Object.fromEntries(NAMES.map((name) => [name, (query.get(name) ?? "").trim()]));
  if (!FREE.has(found.free)) found.free = "";
  if (found.status !== "pending") found.status = "";
  if (!/^[1-9]\d{0,4}$/.test(found.capacity)) found.capacity = "";
  return found;
}

/** The query with these filters; other parameters stay. */
export function toAddress(filters, search) {
  const query = new URLSearchParams(search);
  for (const name of NAMES) {
    query.delete(name);
    if (filters[name]) query.set(name, filters[name]);
  }
  const text = query.toString().replace(/\bkiosk=(?=&|$)/, "kiosk");
  return text ? `?${text}` : "";
}

export function asksNothing(filters) {
  return NAMES.every((name) => !filters[name]);
}

const fold = (text) => (text ?? "").normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Returns a function that checks whether a room matches at a moment. */
export function matcher(filters) {
  const words = fold(filters.q).split(/\s+/).filter(Boolean);
  const [building, floor] = [fold(filters.building), fold(filters.floor)];
  const capacity = Number(filters.capacity);
  const minutes = filters.free === "now" ? 0 : Number(filters.free);
  return (room, now, connected) => {
    if (building && fold(room.building) !== building) return false;
    if (floor && fold(room.floor) !== floor) return false;
    if (capacity && !(room.capacity >= capacity)) return false;
    if (filters.status && statusAt(room, now, connected) !== filters.status) return false;
    if (filters.free && !freeFor(room, minutes, now, connected)) return false;
    if (words.length === 0) return true;
    room.haystack ??= fold(`${room.name} ${room.id} ${room.building ?? ""} ${room.floor ?? ""}`);
    return words.every((word) => room.haystack.includes(word));
  };
}
