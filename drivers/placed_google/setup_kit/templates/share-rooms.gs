/**
 * Shares the calendars of meeting rooms with placed,
 * @@{purpose}, and takes that back.
 *
 * Functions to run, by their name in the list above the editor:
 *
 *   rehearseShare     lists what shareRooms would change, and changes nothing
 *   shareRooms        shares each room as "@@{access}"; run it any number of times
 *   rehearseUnshare   lists what unshareRooms would change, and changes nothing
 *   unshareRooms      takes away what was shared with placed
 *
 * Who: a super administrator, or an administrator with the privileges of Calendar. It runs as you, in a
 * script project of your own at https://script.google.com; README.md has the clicks. Nobody gets a mail.
 *
 * It changes one thing only: the entry of WITH in the list of people with whom a room's calendar is shared.
 * An entry with another role becomes "@@{access}".
 */

const WITH = @@{share_with}; // whom the rooms are shared with
const KIND = @@{share_kind}; // user or group
const ROOMS = @@{rooms}; // addresses of the rooms' calendars; if empty, all that the directory lists
const QUERY = @@{room_query}; // which of the directory's resources are meant
const ROLE = '@@{role_word}'; // "@@{access}"
const LONGEST = 5 * 60 * 1000; // milliseconds; Google ends a script after six minutes

function rehearseShare() {
  eachRoom_('rehearseShare', (room) => share_(room, false));
}

function shareRooms() {
  eachRoom_('shareRooms', (room) => share_(room, true));
}

function rehearseUnshare() {
  eachRoom_('rehearseUnshare', (room) => unshare_(room, false));
}

function unshareRooms() {
  eachRoom_('unshareRooms', (room) => unshare_(room, true));
}

/** Shares one room; returns what was done in a word. */
function share_(room, really) {
  const role = roleAt_(room);
  if (role === ROLE) return 'shared already';
  const done = role === null ? 'shared' : `changed from ${role} to ${ROLE}`;
  if (!really) return `would be ${done}`;
  const rule = { role: ROLE, scope: { type: KIND, value: WITH } };
  Calendar.Acl.insert(rule, room, { sendNotifications: false });
  return done;
}

/** Takes the entry of one room away; returns what was done in a word. */
function unshare_(room, really) {
  if (roleAt_(room) === null) return 'not shared';
  if (!really) return 'would be taken away';
  Calendar.Acl.remove(room, `${KIND}:${WITH}`);
  return 'taken away';
}

/** The role of WITH at a room's calendar; null if there is no entry. */
function roleAt_(room) {
  try {
    const role = Calendar.Acl.get(room, `${KIND}:${WITH}`).role;
    return role === 'none' ? null : role;
  } catch (error) {
    if (statusOf_(error) !== 404) throw error;
    Calendar.Acl.list(room, { maxResults: 1 }); // also 404 if it is the calendar that is not there
    return null;
  }
}

/**
 * Does it for every room; one that fails does not keep the others from it. A run that takes too long keeps
 * the room at which it stopped, by the function's name, and the next one begins there.
 */
function eachRoom_(name, work) {
  const began = Date.now();
  const memory = PropertiesService.getScriptProperties();
  const all = ROOMS.length ? ROOMS : roomsOfDirectory_();
  const rooms = all.slice(Math.max(0, all.indexOf(memory.getProperty(name))));
  memory.deleteProperty(name);
  const failed = [];
  const counts = {};
  for (const [place, room] of rooms.entries()) {
    if (Date.now() - began > LONGEST) {
      memory.setProperty(name, room);
      console.warn(`${rooms.length - place} rooms are left: run it again, and it goes on there`);
      break;
    }
    try {
      const done = work(room);
      counts[done] = (counts[done] || 0) + 1;
      console.log(`${room}: ${done}`);
    } catch (error) {
      failed.push(room);
      console.error(`${room}: ${error.message}`);
    }
  }
  const words = Object.entries(counts).map(([done, count]) => `${count} ${done}`);
  console.log(`${all.length} rooms: ${words.concat(`${failed.length} failed`).join(', ')}`);
  if (failed.length) throw new Error(`${failed.length} of ${all.length} rooms failed; the log names them`);
}

/** The addresses of all rooms of the organisation, page by page. */
function roomsOfDirectory_() {
  const rooms = [];
  let pageToken;
  do {
    const page = AdminDirectory.Resources.Calendars.list('my_customer', {
      maxResults: 500,
      pageToken,
      query: QUERY,
    });
    for (const resource of page.items || []) rooms.push(resource.resourceEmail.toLowerCase());
    pageToken = page.nextPageToken;
  } while (pageToken);
  return rooms;
}

function statusOf_(error) {
  return error.details ? error.details.code : undefined;
}
