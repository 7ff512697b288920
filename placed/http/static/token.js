// Asks the reader for the token that the daemon wants.

import { el } from "./dom.js";

let asking = null;
let shown = null; // the dialog

/** Resolves once a token was given. */
export function askForToken(api, words) {
  asking ??= new Promise((resolve) => {
    const field = el("input", { type: "password", id: "token", name: "token", autocomplete: "off", required: true });
    const dialog = (shown = el(
      "dialog",
      { class: "ask", "aria-labelledby": "ask-title" },
      el(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            api.token = field.value.trim();
            dialog.close();
          },
        },
        el("h2", { id: "ask-title" }, words.say("token.title")),
        el("p", {}, words.say(api.hasToken ? "token.wrong" : "token.wanted")),
        el("label", { for: "token" }, words.say("token.label")),
        field,
        el("button", { type: "submit", class: "primary" }, words.say("token.go")),
      ),
    ));
    dialog.addEventListener("cancel", (event) => event.preventDefault()); // there is nothing to see without it
    dialog.addEventListener("close", () => {
      dialog.remove();
      asking = null;
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

/** The daemon answers without: nobody has to stand at the door to close the question. */
export function askNoMore() {
  if (asking !== null) shown.close();
}
