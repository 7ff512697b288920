// A page that hangs for months takes up the files of a newer daemon by itself.

const VERSION = import.meta.url.split("/").at(-2);

/** Loads the page again if the daemon has another version of it by now. */
export async function renew() {
  try {
    const response = await fetch(location.pathname, { cache: "no-store" });
    const versions = response.ok ? [...(await response.text()).matchAll(/static\/([0-9a-f]+)\//g)] : [];
    // A page of somebody else, such as a proxy's, names none.
    if (versions.length > 0 && versions.every(([, version]) => version !== VERSION)) location.reload();
  } catch {
    // the daemon is not there: another time
  }
}
