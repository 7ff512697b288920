// The dialog that asks the reader for the token.

import { el } from "./dom.js";

let asking = null;
let shown = null; // the dialog

/** Resolves when a token was entered. */
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
        el("h2", { id: "ask-title" }, words.text("token.title")),
        el("p", {}, words.text(api.hasToken ? "token.wrong" : "token.wanted")),
        el("label", { for: "token" }, words.text("token.label")),
        field,
        el("button", { type: "submit", class: "primary" }, words.text("token.go")),
      ),
    ));
    dialog.addEventListener("cancel", (event) => event.preventDefault()); // the page cannot show anything without a token
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

/** Closes the dialog, since the daemon no longer requires a token. */
export function askNoMore() {
  if (asking !== null) shown.close();
}
