// The service worker: caches the pages, so that a tablet that is switched on while the daemon cannot be reached
// shows "unknown" instead of the browser's error.
//
// The state of rooms is never cached: requests to the API do not pass through this file.

const FILES = "{{files}}".split(" ");
const ROOT = new URL("./", self.location); // a proxy may put it below any path
const OWN = `placed ${ROOT.pathname} `; // other daemons of this host have their own caches
const NAME = `${OWN}{{shell}}`;
const PATIENCE = 3000; // ms that the daemon has to answer with a page

const STATIC = "static/{{version}}/";
const BOARD = ROOT.href;
const PANEL = new URL("rooms/-", ROOT).href; // the same for every room
const DAY = new URL("rooms/-/day", ROOT).href;

/** The page at a path below the root; null if there is none. */
function pageAt(path) {
  if (path === "") return BOARD;
  const found = /^rooms\/[a-z0-9_-]+(\/day)?$/.exec(path);
  return found === null ? null : found[1] ? DAY : PANEL;
}

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || !url.href.startsWith(ROOT.href)) return;
  const path = url.pathname.slice(ROOT.pathname.length);
  const page = event.request.mode === "navigate" ? pageAt(path) : null;
  if (page !== null) event.respondWith(answer(event.request, page));
  else if (path.startsWith(STATIC)) event.respondWith(keptOrAsked(event.request));
});

/** Caches all files of one version, or none; then the browser tries again at the next visit. */
async function keepAll() {
  const cache = await caches.open(NAME);
  const keepPage = async (address) => {
    const response = await fetch(address, { cache: "no-cache", redirect: "error" });
    // A proxy may answer with its own page, such as a sign-in page.
    if (!response.ok || !(await response.clone().text()).includes(STATIC)) throw new Error(`no page at ${address}`);
    await cache.put(address, response);
  };
  try {
    await Promise.all([keepPage(BOARD), keepPage(PANEL), keepPage(DAY), cache.addAll(FILES.map((name) => new URL(STATIC + name, ROOT)))]);
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
  await self.skipWaiting();
}

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OWN) && name !== NAME).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The page from the daemon; from the cache if the daemon does not answer. */
async function answer(request, page) {
  const asked = fetch(request).catch(() => null);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, null));
  const answered = await Promise.race([asked, late]);
  if (answered !== null && answered.status < 500) return answered; // 5xx: a proxy that cannot reach the daemon
  return (await kept(page)) ?? (await asked) ?? Response.error();
}

async function keptOrAsked(request) {
  return (await kept(request)) ?? fetch(request);
}

async function kept(request) {
  return (await caches.open(NAME)).match(request, { ignoreVary: true });
}
