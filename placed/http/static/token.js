// The dialog that asks the reader for the token.

import { el } from "./dom.js";

let asking = null;
let shown = null; // the dialog

/**
 * Resolves when a token was entered.
 *
 * @param text what it is for, where the reader may also cancel; by default the page shows nothing without it
 */
export function askForToken(api, words, text = null) {
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
        el("p", {}, words.text(text ?? (api.hasToken ? "token.wrong" : "token.wanted"))),
        el("label", { for: "token" }, words.text("token.label")),
        field,
        el("button", { type: "submit", class: "primary" }, words.text(text === null ? "token.go" : `${text}.go`)),
      ),
    ));
    dialog.addEventListener("cancel", (event) => text === null && event.preventDefault());
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
