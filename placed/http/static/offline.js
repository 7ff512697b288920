// Has the browser keep the pages, so that they can say that they do not know while the daemon is away.

import { PLACED } from "./api.js";

const SOON = 1000; // ms after the page is in use: first comes what people want to see

let asked = false;

/** Is called when the daemon answers. Browsers do it over https and on the machine itself, else nothing happens. */
export function keepPages() {
  if (asked || !isSecureContext || !("serviceWorker" in navigator)) return;
  asked = true;
  setTimeout(register, SOON);
}

async function register() {
  const address = new URL("worker.js", PLACED).href;
  try {
    // Pages may make scripts of no text; this policy lets through one address, whatever it is asked for.
    const policy = globalThis.trustedTypes?.createPolicy("placed", { createScriptURL: () => address });
    await navigator.serviceWorker.register(policy?.createScriptURL("") ?? address);
  } catch {
    // the browser may not, or the daemon has just gone: another time
  }
}
