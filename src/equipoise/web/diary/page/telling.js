/* Time as the phone tells it, and the windows of the diary.

   Rules that must stay true: the hospital judges times, the phone only says what it read: its wall clock with offset, a
   clock that nobody can put back, and how far the hospital's clock was from its own when they last spoke. Which entry is
   offered follows from the windows that the hospital sent, read by the corrected clock. */

import { get, put } from "./keeping.js";

const THIS_PAGE = Math.random(); // a counter of this page says nothing beside one of another
let synced = null; // { skew, server, wall, mono, page } of the last answer of the hospital; last: wall of what was made since

const two = (number) => String(Math.abs(number)).padStart(2, "0");

/* A moment as ISO with the phone's offset. */
export function iso(moment) {
  const at = new Date(moment);
  const offset = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + offset * 60000).toISOString().slice(0, 23);
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.trunc(offset / 60))}:${two(offset % 60)}`;
}

export const mono = () => Math.round(performance.now());
export const stamp = () => ({ wall: iso(Date.now()), mono: mono(), page: THIS_PAGE });

/* A stamp as it is sent: without the counter where the page was loaded anew since. */
export const asTold = (one) => ({ wall: one.wall, mono: one.page === THIS_PAGE ? one.mono : null });
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
export const now = () => Date.now() + (synced ? synced.skew : 0);

export async function begin() { synced = (await get("settings", "synced")) || null; }

/* The hospital said what time it is; `asked` is when it was asked, by the page's clock. */
export async function heard(serverTime, asked) {
  const half = (mono() - asked) / 2;
  synced = { skew: Math.round(Date.parse(serverTime) + half - Date.now()), server: serverTime, ...stamp() };
  await put("settings", synced, "synced");
}

/* An entry was made: the latest moment that this clock has shown since the hospital's time was heard. */
export async function made() {
  if (!synced) return;
  synced = { ...synced, last: iso(Math.max(Date.now(), synced.last ? Date.parse(synced.last) : 0)) };
  await put("settings", synced, "synced");
}

/* What this phone knows of time now, to lie beside an entry that begins. */
export const known = () => synced;

/* What a packet says of time. `begun`, `then`: when its entry was begun, and what was known at that moment. What was heard
   since is told instead only where one counter ran through both: the clock may have been set in between. */
export function asSent(begun, then) {
  const one = synced && begun && begun.page === THIS_PAGE && synced.page === THIS_PAGE;
  const told = then && !one ? then : synced;
  const seen = then ? { heard: then.server || null, after: then.last || null } : {};
  return { skew_ms: told ? told.skew : null, synced: told ? asTold(told) : null, zone: zone(), ...seen };
}

export const openSlots = (slots) => slots.filter((slot) => Date.parse(slot.opens) <= now() && now() < Date.parse(slot.closes));
export const nextSlot = (slots) => slots.filter((slot) => Date.parse(slot.opens) > now()).sort((a, b) => Date.parse(a.opens) - Date.parse(b.opens))[0];

/* A moment in the participant's zone, as the language writes it. */
export function shown(moment, language, inZone) {
  const how = { month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
  try {
    return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", inZone ? { ...how, timeZone: inZone } : how).format(new Date(moment));
  } catch (fault) {
    return new Date(moment).toLocaleString();
  }
}

/* The day (ISO) that it is in a zone, or was `before` days ago. */
export function dayIn(inZone, before = 0) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: inZone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(now() - before * 86400000));
  return ["year", "month", "day"].map((kind) => parts.find((one) => one.type === kind).value).join("-");
}

export function shownDay(period, language) {
  const how = { month: "long", day: "numeric", weekday: "long", timeZone: "UTC" };
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", how).format(new Date(`${period}T00:00:00Z`));
}
