// A wall display: no controls, larger text, and scrolling page by page if not all fits.

const STAY = 12_000; // ms for each page

export function runKiosk() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  setInterval(() => {
    const top = document.querySelector(".top").offsetHeight;
    const page = Math.max(100, innerHeight - top - 24);
    const end = document.documentElement.scrollHeight - innerHeight;
    const next = scrollY >= end - 8 ? 0 : Math.min(scrollY + page, end);
    scrollTo({ top: next, behavior: calm.matches ? "instant" : "smooth" });
  }, STAY);
}

/** Keeps the screen on, if the browser allows it. */
export async function stayAwake() {
  const ask = () => navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
  await ask();
}
