// Parser for server-sent events (WHATWG HTML, 9.2.6). Pure.

/** Splits text into events. `take(chunk)` returns the complete ones: {event, id, data}. */
export class EventParser {
  comment = null; // the last comment line

  #rest = "";

  take(chunk) {
    const blocks = (this.#rest + chunk).split("\n\n");
    this.#rest = blocks.pop();
    this.comment = blocks.flatMap((block) => block.split("\n")).findLast((line) => line.startsWith(":")) ?? this.comment;
    return blocks.map(read).filter((event) => event.data !== null);
  }
}

function read(block) {
  const event = { event: "message", id: null, data: null };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue; // a comment
    const field = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") event.data = event.data === null ? value : `${event.data}\n${value}`;
    else if (field === "event" || field === "id") event[field] = value;
  }
  return event;
}
