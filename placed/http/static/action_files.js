// What actions need beside their code, in files of their own: most pages have no actions.

import { el } from "./dom.js";

const beside = (name) => new URL(name, import.meta.url).href;
let styled = null;

/** Adds the texts of actions to those of the page, in its language. */
export async function loadTexts(words) {
  const response = await fetch(beside(`action_texts/${document.documentElement.lang}.json`));
  words.add(await response.json());
}

/** Adds the styles of a panel's actions, once. */
export function loadStyles() {
  styled ??= new Promise((done, failed) => {
    document.head.append(el("link", { rel: "stylesheet", href: beside("actions.css"), onload: done, onerror: failed }));
  });
  return styled;
}
