// Helpers for DOM elements. Text is only ever set as text, never parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function el(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/** Text that people wrote; its writing direction is isolated from the page's. */
export function bdi(text, attributes = {}) {
  return el("bdi", { dir: "auto", ...attributes }, text);
}

/** Sets the text if it differs: otherwise screen readers would read it out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function set(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

// Each status has a colour, a word and one of these shapes.
const SHAPES = {
  free: ["circle", [["circle", { cx: 12, cy: 12, r: 9.5 }], ["path", { d: "m7.6 12.4 3 3 5.8-6.2" }]]],
  starting: ["triangle", [["path", { d: "M12 2.8 22 20.5H2Z" }], ["path", { d: "M12 9.6v4.6l2.6 1.9" }]]],
  busy: ["square", [["rect", { x: 2.5, y: 2.5, width: 19, height: 19, rx: 3 }], ["path", { d: "M7.2 12h9.6" }]]],
  pending: ["hexagon", [["path", { d: "M7 2.8h10L22 12l-5 9.2H7L2 12Z" }], ["path", { d: "M8.5 12h.1m3.4 0h.1m3.4 0h.1" }]]],
  unknown: [
    "diamond",
    [
      ["path", { d: "M12 1.8 22.2 12 12 22.2 1.8 12Z", "stroke-dasharray": "3.2 2.2" }],
      ["path", { d: "M9.9 10.2a2.1 2.1 0 1 1 3.2 1.8c-.8.5-1.1.9-1.1 1.6m0 2.6v.1" }],
    ],
  ],
};

/** The shape of a status; hidden from screen readers, which read the word beside it. */
export function shape(status) {
  const [name, parts] = SHAPES[status] ?? SHAPES.unknown;
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `shape shape-${name}`, "aria-hidden": "true", focusable: "false" },
    ...parts.map(([tag, attributes]) => svg(tag, attributes)),
  );
}

/** Replaces the shape if the status has changed. */
export function statusShape(holder, status) {
  if (holder.dataset.shape === status) return;
  holder.dataset.shape = status;
  holder.replaceChildren(shape(status));
}
