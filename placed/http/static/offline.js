// Lets the browser cache the pages, so that they open and show "unknown" while the daemon cannot be reached.

import { PLACED } from "./api.js";

const SOON = 1000; // ms after the page is in use, so that its own requests go first

let asked = false;

/** Called when the daemon answers. Works over https and on localhost only; otherwise does nothing. */
export function keepPages() {
  if (asked || !isSecureContext || !("serviceWorker" in navigator)) return;
  asked = true;
  setTimeout(register, SOON);
}

async function register() {
  const address = new URL("worker.js", PLACED).href;
  try {
    // The pages enforce trusted types; this policy returns one address, whatever its input.
    const policy = globalThis.trustedTypes?.createPolicy("placed", { createScriptURL: () => address });
    await navigator.serviceWorker.register(policy?.createScriptURL("") ?? address);
  } catch {
    // the browser does not allow it, or the daemon cannot be reached: try again at the next visit
  }
}
