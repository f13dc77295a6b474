/* One entry from its first question to its place in the queue.

   Rules that must stay true: every tap is kept, sealed, before the next question; who answers is fixed when an entry is
   begun, and another who answers begins another entry; an entry begun under one definition is finished under it; a red
   flag shows what to do at once and is told to the hospital at once; an entry leaves the screen only when it is on the
   phone's disk. */

import * as asking from "./asking.js";
import * as carrying from "./carrying.js";
import { button, h, of, picture, say, screen, settings, tell } from "./drawing.js";
import { get, write } from "./keeping.js";
import * as reading from "./reading.js";
import { randomId, readAgain, seal, shutAway } from "./sealing.js";
import * as telling from "./telling.js";

let app = null; // { person, key, home, changed, who }
let entry = null;
let nudged = new Set();
let drafts = {};

export const use = (what) => { app = what; };
export const inEntry = () => entry !== null;
const nameOf = (form, period, reporter) => `${form}|${period || ""}|${reporter}`;
const planOf = (digest) => app.person.definitions[digest] || app.person.definitions[app.person.digest];
const formOf = () => planOf(entry.digest).forms.find((one) => one.id === entry.form);
const items = () => asking.asked(planOf(entry.digest), formOf(), entry.reporter, entry.answers);

/* The unfinished entries on this phone, by name. Those whose window is over are taken away and told of. */
export async function unfinished(person, key) {
  const held = await get("drafts", person.device);
  drafts = held ? await readAgain(key, held.sealed) : {};
  const over = Object.entries(drafts).filter(([, one]) => one.closes && Date.parse(one.closes) <= telling.now());
  for (const [name] of over) delete drafts[name];
  if (entry) drafts[nameOf(entry.form, entry.period, entry.reporter)] = entry; // it goes on, whatever the time
  return { open: drafts, over: over.map(([, one]) => one) };
}

async function keep(queued) {
  const sealed = await shutAway(app.key, drafts);
  await write(["drafts", "queue"], (store) => {
    if (queued) store("queue").put(queued);
    store("drafts").put({ name: app.person.device, sealed });
  });
}

export async function begin(form, slot, reporter) {
  const period = slot ? slot.period : null;
  const name = nameOf(form.id, period, reporter);
  entry = drafts[name] || {
    form: form.id, period, reporter, digest: app.person.digest, begun: telling.stamp(), known: telling.known(), closes: slot ? slot.closes : null, answers: {}, shown: [], at: 0,
  };
  drafts[name] = entry;
  nudged = new Set();
  await kept();
  show();
}

/* What the form calls the time that it asks about; a day that is over is "today" no more. */
function periodWords() {
  const form = formOf();
  const { zone } = app.person;
  if (!entry.period || !form.cadence || form.cadence.days !== 1 || entry.period === telling.dayIn(zone)) return of(form.period);
  return entry.period === telling.dayIn(zone, 1) ? say("phone.yesterday") : say("phone.on-day", { day: telling.shownDay(entry.period, settings.language) });
}

/* Keep the draft; where the phone cannot, say so and stay. */
async function kept(queued) {
  try {
    await keep(queued);
    return true;
  } catch (fault) {
    tell(say("phone.cannot-keep"));
    document.getElementById("told").classList.add("seen");
    return false;
  }
}

const idsOf = (page) => (page || []).map((item) => item.id).join(" ");

function show({ quiet = false } = {}) {
  reading.stop();
  const pages = asking.pagesOf(items());
  if (entry.at >= pages.length) { review(); return; }
  const page = pages[entry.at];
  for (const item of page) if (!entry.shown.includes(item.id)) entry.shown.push(item.id);
  const alone = page.length === 1;
  const title = alone ? asking.question(page[0], periodWords(), entry.reporter) : of(page[0].section.label);
  const blocks = page.map((item) => block(item, page));
  const here = entry.at;
  const next = button(say("phone.next"), () => forward(here), { kind: "primary", drawn: "next" });
  const back = button(say("phone.back"), () => backward(here), { drawn: "back" });
  screen(`entry${alone ? "" : " group"}`, title, blocks, [next, back], { top: topLine(pages.length, alone ? of(page[0].section.label) : ""), drawn: alone ? page[0].picture : null, quiet });
  if (alone) document.getElementById("title").lastChild.id = `q-${page[0].id}`;
}

function topLine(count, section) {
  const who = { PARTICIPANT: "phone.who-self", ASSISTED: "phone.who-assisted", CAREGIVER: "phone.who-caregiver" }[entry.reporter];
  return h("div", { class: "top" },
    h("p", { class: "step" }, section ? `${section} · ` : "", say("phone.step", { n: entry.at + 1, of: count })),
    h("progress", { max: count, value: entry.at + 1, "aria-hidden": "true" }),
    h("button", { type: "button", class: "whom", onclick: () => app.switchWho(formOf(), entry) }, picture("person"), h("span", null, say(who)), h("small", null, say("phone.change-who"))));
}

function block(item, page) {
  const alone = page.length === 1;
  const place = h("section", { class: "item", "data-item": item.id, "aria-labelledby": `q-${item.id}` });
  const draw = () => {
    const answer = entry.answers[item.id];
    const aloud = reading.possible() ? button(say("phone.read-aloud"), () => reading.read(item.id, asking.sentences(item, periodWords(), entry.reporter)), { kind: "quiet", drawn: "speak" }) : null;
    const head = alone ? null : h("h2", { id: `q-${item.id}` }, asking.question(item, periodWords(), entry.reporter));
    const helper = item.helper ? h("p", { class: "helper" }, of(item.helper)) : null;
    place.replaceChildren(...[head, helper, aloud, asking.answersTo(item, answer, give), without(item, answer, missing)].filter(Boolean));
  };
  const give = async (answer) => {
    const held = [...place.querySelectorAll("button")].indexOf(document.activeElement);
    const before = asking.flagged(item, entry.answers[item.id]);
    if (answer) entry.answers[item.id] = answer;
    else delete entry.answers[item.id];
    nudged.delete(item.id);
    draw();
    if (held >= 0) { const all = place.querySelectorAll("button"); if (all.length) all[Math.min(held, all.length - 1)].focus({ preventScroll: true }); }
    if (!before && asking.flagged(item, answer)) { await alarm(item); return; }
    if (idsOf(asking.pagesOf(items())[entry.at]) !== idsOf(page)) show({ quiet: true }); // an answer that asks for another
    await kept();
  };
  const missing = (code) => { delete entry.answers[item.id]; give({ missing: code }); };
  place.redraw = draw;
  draw();
  return place;
}

/* One gentle nudge, and two ways to leave a question without an answer. */
function without(item, answer, missing) {
  const chosen = answer && answer.missing;
  if (!nudged.has(item.id) && !chosen) return null;
  const one = (code, key) => h("button", { type: "button", class: "choice plain", "aria-pressed": chosen === code ? "true" : "false", onclick: () => missing(code) }, h("span", { class: "label" }, say(key)), h("span", { class: "mark", "aria-hidden": "true" }, chosen === code ? "✓" : ""));
  return h("div", { class: "nudge", role: "group", "aria-label": say("phone.nudge") }, h("p", null, say(chosen ? "phone.left-open" : "phone.nudge")), one("PREFER_NOT", "phone.prefer-not"), one("CANNOT_TELL", "phone.cannot-tell"));
}

/* `here`: the page on which the key stood; a second tap on it while the next one comes does nothing. */
async function forward(here) {
  if (!entry || entry.at !== here) return;
  const open = asking.pagesOf(items())[here].filter((item) => !entry.answers[item.id]);
  if (open.length) {
    for (const item of open) nudged.add(item.id);
    for (const place of document.querySelectorAll(".item")) place.redraw();
    const first = document.querySelector(".nudge");
    first.scrollIntoView({ block: "center" });
    first.querySelector("button").focus({ preventScroll: true });
    tell(say("phone.nudge"));
    return;
  }
  entry.at = after(here);
  await kept();
  show();
}

/* The next page; after the review the next one that is not answered yet, or the review again. */
function after(here) {
  if (!entry.reviewed) return here + 1;
  const pages = asking.pagesOf(items());
  const open = pages.findIndex((page) => page.some((item) => !entry.answers[item.id]));
  return open < 0 ? pages.length : open;
}

async function backward(here) {
  if (!entry || entry.at !== here) return;
  if (entry.at === 0) { leave(); return; } // what was answered stays on the phone, to go on with
  entry.at = Math.min(entry.at, asking.pagesOf(items()).length) - 1;
  await kept();
  show();
}

export function leave({ quiet = false } = {}) {
  reading.stop();
  entry = null;
  if (!quiet) app.home();
}

/* What was answered, to be looked over; what was skipped by an earlier answer is not sent. */
function review() {
  entry.reviewed = true;
  const list = items();
  const pages = asking.pagesOf(list);
  const here = entry.at;
  const lines = list.map((item) => h("li", null, h("button", { type: "button", class: "line", onclick: () => { entry.at = pages.findIndex((page) => page.some((one) => one.id === item.id)); show(); } },
    h("span", { class: "asked" }, asking.question(item, periodWords(), entry.reporter)), h("strong", null, asking.inWords(item, entry.answers[item.id])), h("small", null, say("phone.correct")))));
  screen("review", say("phone.review"), [h("p", { class: "helper" }, say("phone.review-lead")), h("ul", { class: "lines" }, lines)],
    [button(say("phone.send"), submit, { kind: "primary", drawn: "send", id: "send" }), button(say("phone.back"), () => backward(here), { drawn: "back" })], { drawn: "list" });
}

/* How the page was set, as words: it can matter for how an answer is read. */
const modes = () => ({ pages: settings.pages, yesno: settings.yesno ? "on" : "off", size: `px${settings.size}`, hand: settings.hand });

const packetOf = (kind, answers) => ({
  v: 1, kind, reporter: entry.reporter, form: entry.form, period: entry.period, digest: entry.digest,
  begun: telling.asTold(entry.begun), submitted: telling.asTold(telling.stamp()), ...telling.asSent(entry.begun, entry.known), offline: !carrying.lineIsUp(), language: settings.language,
  modes: modes(), answers, shown: entry.shown,
});

export async function queuedFor(person, key, kind, body, about) {
  const id = randomId();
  const packet = await seal(key, person.device, id, body);
  return { id, device: person.device, kind, packet, about: await shutAway(key, about), state: "PHONE", made: Date.now() };
}

let sending = false;

async function submit() {
  if (sending) return;
  sending = true;
  try {
    const answers = {};
    for (const item of items()) if (entry.answers[item.id]) answers[item.id] = entry.answers[item.id];
    entry.shown = entry.shown.filter((id) => items().some((item) => item.id === id));
    const about = { form: entry.form, period: entry.period, reporter: entry.reporter, label: formOf().label };
    const queued = await queuedFor(app.person, app.key, "entry", packetOf("entry", answers), about);
    const name = nameOf(entry.form, entry.period, entry.reporter);
    const draft = drafts[name];
    delete drafts[name];
    if (!(await kept(queued))) { drafts[name] = draft; return; }
    entry = null;
    await telling.made().catch(() => null); // without it one mark may be missing, and no entry
    app.sent(queued.id);
  } finally {
    sending = false;
  }
}

/* A red flag: what to do, at once; and word to the hospital, at once. */
async function alarm(item) {
  const plan = planOf(entry.digest);
  const { number, advice, not_watched: unwatched } = plan.emergency;
  reading.stop();
  screen("alarm", of(advice), [
    h("a", { class: "call", href: `tel:${number}` }, picture("phone"), h("span", null, say("phone.call", { number }))),
    h("p", { class: "strong" }, of(unwatched)),
    h("p", null, say("phone.alarm-told")),
  ], [button(say("phone.alarm-read"), () => show(), { kind: "primary" })], { drawn: "alarm" });
  const body = packetOf("help", { [item.id]: entry.answers[item.id] });
  const queued = await queuedFor(app.person, app.key, "help", body, { form: entry.form, period: entry.period });
  if (await kept(queued)) carrying.carry(app.changed);
}
