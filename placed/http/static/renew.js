// A page that hangs for months takes up the files of a newer daemon by itself.

const VERSION = import.meta.url.split("/").at(-2);

/** Loads the page again if it is of another version by now. */
export async function renew() {
  try {
    const response = await fetch(location.pathname, { cache: "no-store" });
    if (response.ok && !(await response.text()).includes(`/static/${VERSION}/`)) location.reload();
  } catch {
    // the daemon is not there: another time
  }
}
