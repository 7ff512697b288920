// A page that stays open for months loads the files of a newer daemon by itself.

const VERSION = import.meta.url.split("/").at(-2);

/** Reloads the page if the daemon now has another version of it. */
export async function renew() {
  try {
    const response = await fetch(location.pathname, { cache: "no-store" });
    const versions = response.ok ? [...(await response.text()).matchAll(/static\/([0-9a-f]+)\//g)] : [];
    // The page of a proxy contains no version.
    if (versions.length > 0 && versions.every(([, version]) => version !== VERSION)) location.reload();
  } catch {
    // the daemon cannot be reached: try again later
  }
}
