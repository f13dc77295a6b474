/* The diary on the phone: from opening the page to the home screen, and what happens beside it.

   Rules that must stay true: a new version of the page takes over only where no entry is open; the key is in memory
   only, and gone after ten minutes in the background; nothing is asked of the hospital by the clock. */

import * as carrying from "./carrying.js";
import * as drawing from "./drawing.js";
import { button, say, settings } from "./drawing.js";
import * as entry from "./entry.js";
import { all, change, get, put, write } from "./keeping.js";
import * as reading from "./reading.js";
import * as screens from "./screens.js";
import { fromBase64url, importKey, originKey, randomId, readAgain, readNews, seal, unwrap, wrap } from "./sealing.js";
import * as telling from "./telling.js";

const LOCK_AFTER = 10 * 60000;
const KEEP = 30 * screens.DAY;
const TRIES = 5;
const PAUSE = 60000; // after five wrong PINs; nothing is ever thrown away for them
let me = null; // { person, key }
let watching = null; // redraws what is on the screen after something was carried
let over = [];
let offer = null;
const noted = new Set(); // windows of which the hospital is told on this page
let worker = null;

/* --- enrolment ------------------------------------------------------------------------------------------- */

function welcome(code) {
  if (screens.needsAppleWay()) screens.install(null, () => enrolScreen(code), true);
  else enrolScreen(code);
}

const other = () => button(settings.language === "zh" ? "English" : "中文", () => keepSetting("language", settings.language === "zh" ? "en" : "zh", start), { kind: "quiet", lang: settings.language === "zh" ? "en" : "zh-Hans", id: "other-language" });

function enrolScreen(code) {
  screens.pin(say("phone.welcome"), say("phone.pin-from-card"), (pin) => enrol(code, pin), other());
}

async function enrol(code, pin) {
  const asked = telling.mono();
  const answer = await carrying.ask("/diary/enrol", { code, pin });
  if (!answer) return say("phone.no-line");
  if (!answer.ok) return drawing.of(answer.said.says) || say("phone.not-accepted");
  const { device, key, holder, number, zone, definition } = answer.said;
  const bytes = fromBase64url(key);
  let origin = await get("settings", "origin");
  if (!origin) { origin = await originKey(); await put("settings", origin, "origin"); }
  const person = { device, holder, number, zone, digest: definition.digest, definitions: { [definition.digest]: definition }, wrapped: await wrap(bytes, pin, origin), wrong: 0, until: 0, enrolled: Date.now() };
  await put("people", person);
  history.replaceState(null, "", "/diary/");
  await telling.heard(answer.said.server_time, asked);
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => false);
  await enter(person, await importKey(bytes));
  return null;
}

/* --- unlocking ------------------------------------------------------------------------------------------- */

async function locked() {
  me = null;
  carrying.carry(() => {});
  takeOver();
  const people = await all("people");
  if (!people.length) {
    screens.lost(say("phone.no-diary"), say("phone.no-diary-lead"), [other()]);
    return;
  }
  if (people.length === 1) { unlockScreen(people[0]); return; }
  drawing.screen("who", say("phone.whose-diary"), drawing.h("div", { class: "answers" }, people.map((one) => button(`${one.number} · ${say(one.holder === "PARTICIPANT" ? "phone.holder-participant" : "phone.holder-caregiver")}`, () => unlockScreen(one), { drawn: "person" }))), [other()]);
}

const unlockScreen = (person) => screens.pin(say("phone.unlock"), say("phone.pin-lead", { number: person.number }), (pin) => unlock(person.device, pin), other());

async function unlock(device, pin) {
  const person = await get("people", device);
  if (person.until > Date.now()) return say("phone.pin-pause");
  const key = await unwrap(person.wrapped, pin, await get("settings", "origin"));
  if (key) {
    await change("people", device, (held) => ({ ...held, wrong: 0 }));
    await enter(person, key);
    return null;
  }
  const wrong = person.wrong + 1;
  await change("people", device, (held) => ({ ...held, wrong: wrong % TRIES, until: wrong % TRIES ? 0 : Date.now() + PAUSE }));
  return say(wrong % TRIES ? "phone.pin-wrong" : "phone.pin-pause");
}

async function enter(person, key) {
  me = { person, key };
  over = (await entry.unfinished(person, key)).over;
  entry.use({ person, key, home, changed, sent, switchWho });
  await tidy();
  await home();
  greet();
  carrying.counted(reading.keepAll()).catch(() => null); // without a line: what is not kept is read by the phone's own voice
}

/* A newer version of the diary: fetched when the hospital names one; entries begun under an older one keep it. */
async function renewed({ person: { device }, key }) {
  const person = await get("people", device);
  const { wanted } = await newsOf(person, key);
  if (!wanted || wanted === person.digest) return;
  const plan = await carrying.fetched(`/diary/definition/${wanted}.json`);
  if (!plan) return;
  const needed = new Set(Object.values((await entry.unfinished(person, key)).open).map((one) => one.digest));
  const kept = Object.fromEntries(Object.entries(person.definitions).filter(([digest]) => needed.has(digest)));
  await change("people", person.device, (held) => ({ ...held, digest: plan.digest, definitions: { ...kept, [plan.digest]: plan } }));
  changed();
}

/* Say hello: the hospital's time and windows, and what it waits for. */
async function greet() {
  if (!me) return;
  const { person, key } = me;
  const id = randomId();
  const at = telling.asTold(telling.stamp());
  const body = { v: 1, kind: "hello", reporter: reporterOf(person), form: null, period: null, digest: person.digest, begun: at, submitted: at, ...telling.asSent(), offline: false, language: settings.language, modes: { installed: screens.installed() ? "yes" : "no", waiting: `n${(await carrying.waiting(person.device)).length}` }, answers: {}, shown: [] };
  await carrying.carry(changed, await seal(key, person.device, id, body));
  if (me) await renewed(me);
}

const reporterOf = (person) => (person.holder === "PARTICIPANT" ? "PARTICIPANT" : "CAREGIVER");

/* What the hospital has had for a month leaves the list. */
async function tidy() {
  const old = (await all("queue")).filter((one) => one.state !== "PHONE" && Date.now() - one.made > KEEP);
  await write(["queue"], (store) => { for (const one of old) store("queue").delete(one.id); });
}

/* --- the home screen ------------------------------------------------------------------------------------- */

/* What the hospital told last: the windows of the diary, and the version of it that is in force. */
async function newsOf({ device, news }, key) {
  if (!news) return { slots: [], wanted: null };
  const said = await readNews(key, device, news);
  const iso = (seconds) => new Date(seconds * 1000).toISOString();
  return { wanted: said.definition, slots: said.slots.map(([form, period, opens, closes, state]) => ({ form, period, opens: iso(opens), closes: iso(closes), state })) };
}

async function rowsOf({ person, key }) {
  const rows = (await all("queue")).filter((one) => one.device === person.device);
  return Promise.all(rows.map(async (one) => ({ ...one, content: await readAgain(key, one.about) })));
}

async function viewOf(mine, showAll) {
  const { key } = mine;
  const person = await get("people", mine.person.device);
  const slots = (await newsOf(person, key)).slots;
  Object.assign(mine, { person, slots });
  entry.use({ person, key, home, changed, sent, switchWho });
  const rows = await rowsOf(mine);
  const drafts = Object.values((await entry.unfinished(person, key)).open);
  const plan = person.definitions[person.digest];
  const isDone = (slot) => slot.state === "DONE" || rows.some((one) => one.kind === "entry" && one.state !== "REFUSED" && one.content.form === slot.form && one.content.period === slot.period);
  const open = telling.openSlots(slots).map((slot) => ({ ...slot, done: isDone(slot) }));
  const unsent = rows.filter((one) => one.state === "PHONE" && one.kind !== "seen");
  return { person, plan, rows, drafts, slots: open, next: telling.nextSlot(slots), over, all: showAll, waiting: unsent.length, oldest: unsent.length ? Math.min(...unsent.map((one) => one.made)) : null };
}

async function home({ quiet = false, showAll = false } = {}) {
  if (!me) { await locked(); return; }
  const scene = drawing.sceneNow();
  const mine = me;
  const view = await viewOf(mine, showAll);
  if (me !== mine || (quiet && scene !== drawing.sceneNow())) return; // locked, or the person went on meanwhile
  watching = () => home({ quiet: true, showAll });
  screens.home(view, {
    fill: (form, slot) => choose(form, slot),
    happened: () => { watching = null; screens.events(view.plan.forms.filter((one) => !one.cadence), (form) => choose(form, null), home); },
    change: (one) => { watching = null; screens.ask(one, (wish) => request(one, wish), home); },
    all: () => home({ showAll: true }),
    carry: () => carrying.carry(changed).then((whole) => drawing.tell(say(whole ? "phone.all-sent" : "phone.no-line"))),
    settings: optionsScreen, install: installScreen, lock: locked,
  }, { quiet });
  for (const slot of view.slots) if (!slot.done) noteSeen(slot);
}

/* Once for each window: that the person saw that an entry is due. */
async function noteSeen(slot) {
  const name = `${slot.form}|${slot.period}`;
  if ((me.person.seen || []).includes(name) || noted.has(name)) return;
  noted.add(name);
  const at = telling.asTold(telling.stamp());
  const body = { v: 1, kind: "seen", reporter: reporterOf(me.person), form: slot.form, period: slot.period, digest: me.person.digest, begun: at, submitted: at, ...telling.asSent(), offline: !carrying.lineIsUp(), language: settings.language, modes: {}, answers: {}, shown: [] };
  const queued = await entry.queuedFor(me.person, me.key, "seen", body, { form: slot.form, period: slot.period });
  await put("queue", queued);
  await change("people", queued.device, (held) => ({ ...held, seen: [...(held.seen || []).slice(-20), name] }));
}

function choose(form, slot) {
  watching = null;
  const plan = me.person.definitions[me.person.digest];
  const answers = plan.answers && plan.answers.length ? plan.answers : ["PARTICIPANT", "ASSISTED", "CAREGIVER"];
  screens.who(me.person.holder, answers, (reporter) => entry.begin(form, slot, reporter), home);
}

/* Somebody else goes on: what was answered stays with who began, and a new entry begins. */
function switchWho(form, held) {
  const slot = held.period ? me.slots.find((one) => one.form === held.form && one.period === held.period) || { period: held.period, closes: held.closes } : null;
  drawing.screen("switch", say("phone.switch"), drawing.h("p", { class: "lead" }, say("phone.switch-lead")), [
    button(say("phone.switch-no"), () => entry.begin(form, slot, held.reporter), { kind: "primary" }),
    button(say("phone.switch-yes"), () => { entry.leave({ quiet: true }); choose(form, slot); }),
  ], { drawn: "person" });
}

/* --- what was sent --------------------------------------------------------------------------------------- */

async function sent(id) {
  const draw = async (quiet) => {
    const scene = drawing.sceneNow();
    const found = (await rowsOf(me)).find((one) => one.id === id);
    if (found && (!quiet || scene === drawing.sceneNow())) screens.sent(found, home, { quiet });
  };
  watching = () => draw(true);
  await draw(false);
  carrying.carry(changed);
}

async function request(one, wish) {
  const at = telling.asTold(telling.stamp());
  const { form, period, reporter, label } = one.content;
  const body = { v: 1, kind: "request", reporter, form, period, digest: me.person.digest, begun: at, submitted: at, ...telling.asSent(), offline: !carrying.lineIsUp(), language: settings.language, modes: {}, answers: {}, shown: [], entry: one.id, wish };
  const queued = await entry.queuedFor(me.person, me.key, "request", body, { form, period, reporter, label });
  await write(["queue"], (store) => store("queue").put(queued));
  await sent(queued.id);
}

function changed() {
  if (watching && me && !entry.inEntry()) watching();
}

/* --- settings, installing -------------------------------------------------------------------------------- */

async function keepSetting(name, value, then) {
  settings[name] = value;
  await put("settings", { ...settings }, "chosen");
  drawing.dress();
  then();
}

function optionsScreen() {
  watching = null;
  const held = document.activeElement && document.activeElement.dataset.set;
  const at = window.scrollY;
  screens.options((name, value) => keepSetting(name, value, optionsScreen), home, button(say("phone.install"), installScreen, { drawn: "home" }));
  if (held) { window.scrollTo(0, at); document.querySelector(`[data-set="${held}"]`).focus({ preventScroll: true }); }
}

function installScreen() {
  watching = null;
  screens.install(offer ? () => { offer.prompt(); offer = null; home(); } : null, home);
}

/* --- the page itself ------------------------------------------------------------------------------------- */

/* A newer page that waits takes over once nothing is being asked (Chromium parks it for minutes where a question goes
   past the old worker in that very moment), if no entry is open and no key is in memory. */
async function takeOver() {
  await carrying.quiet();
  if (worker && worker.waiting && !me && !entry.inEntry()) worker.waiting.postMessage("take over");
}

async function watchPage() {
  let hidden = 0;
  addEventListener("online", () => carrying.carry(changed));
  addEventListener("beforeinstallprompt", (event) => { event.preventDefault(); offer = event; });
  addEventListener("hashchange", () => { if (location.hash.length > 1) location.reload(); });
  document.addEventListener("visibilitychange", () => {
    reading.stop();
    if (document.visibilityState === "hidden") { hidden = Date.now(); return; }
    if (me && hidden && Date.now() - hidden > LOCK_AFTER) { if (entry.inEntry()) entry.leave({ quiet: true }); locked(); } else if (me) { if (!entry.inEntry() && watching) watching(); greet(); }
  });
  if (!("serviceWorker" in navigator)) return;
  const had = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => { if (had && !entry.inEntry() && !me) location.reload(); });
  worker = await navigator.serviceWorker.register("/diary/sw.js", { scope: "/diary/" });
  worker.addEventListener("updatefound", () => {
    const coming = worker.installing;
    coming.addEventListener("statechange", () => { if (coming.state === "installed" && !me) takeOver(); });
  });
}

async function start() {
  const code = location.hash.slice(1);
  if (/^[A-Za-z0-9_-]{16,64}$/.test(code)) welcome(code);
  else await locked();
}

async function open() {
  const shell = await (await fetch("/diary/shell.json")).json();
  drawing.begin(shell.words);
  reading.begin(shell.recordings);
  settings.language = (navigator.language || "zh").toLowerCase().startsWith("en") ? "en" : "zh";
  let fault = null;
  try {
    Object.assign(settings, await get("settings", "chosen"));
    await telling.begin();
  } catch (found) {
    fault = found;
  }
  drawing.dress();
  // Apple's phones give a page on the home screen a memory of its own: it has to start where the card led, not at "/diary/".
  if (!("standalone" in navigator)) document.head.append(drawing.h("link", { rel: "manifest", href: "/diary/manifest.webmanifest" }));
  watchPage().catch(() => false);
  if (fault || !window.crypto || !crypto.subtle) { screens.lost(say("phone.cannot-work"), say(fault ? "phone.no-memory" : "phone.not-secure")); return; }
  await start();
}

open();
