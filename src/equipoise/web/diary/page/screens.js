/* The screens around an entry: PIN, who answers, what was sent, a request for a change, settings, the home screen.

   Rules that must stay true: everything is done with one thumb and without haste; what a screen says of an entry is what
   the hospital acknowledged, never a hope. */

import { button, h, of, picture, say, screen, settings, SIZES } from "./drawing.js";
import * as telling from "./telling.js";

export const DAY = 86400000;
export const WARN_AFTER = 3 * DAY; // Safari takes away what was not visited for 7 days; reference: warn before day 5
const REPORTERS = [["PARTICIPANT", "phone.card-self", "self"], ["ASSISTED", "phone.card-assisted", "assisted"], ["CAREGIVER", "phone.card-caregiver", "caregiver"]];

/* Six digits: by the keys on the screen, by a keyboard, or pasted. `done` gets them and answers what is wrong, or null. */
export function pin(title, lead, done, extra = []) {
  const field = h("input", { id: "pin", type: "password", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "6", pattern: "[0-9]*", "aria-label": say("phone.pin"), "aria-describedby": "wrong" });
  const wrong = h("p", { id: "wrong", class: "wrong", role: "alert" });
  let busy = false;
  const enter = async () => {
    if (busy || !/^\d{6}$/.test(field.value)) { if (!busy) wrong.textContent = say("phone.pin-six"); return; }
    busy = true;
    wrong.textContent = say("phone.opening");
    const says = await done(field.value);
    busy = false;
    if (says === null || !field.isConnected) return;
    wrong.textContent = says;
    field.value = "";
  };
  const press = (digit) => { if (field.value.length < 6) field.value += digit; wrong.textContent = ""; };
  const digit = (n) => h("button", { type: "button", class: "digit", onclick: () => press(n) }, n);
  const clear = h("button", { type: "button", class: "digit", "aria-label": say("phone.delete-digit"), onclick: () => { field.value = field.value.slice(0, -1); } }, "⌫");
  const ok = h("button", { type: "submit", class: "digit go" }, say("phone.ok"));
  const corners = settings.hand === "left" ? [ok, digit("0"), clear] : [clear, digit("0"), ok];
  screen("pin", title, h("form", { class: "inner", onsubmit: (event) => { event.preventDefault(); enter(); } }, h("p", { class: "lead" }, lead), field, wrong, h("div", { class: "pad", role: "group", "aria-label": say("phone.pad") }, ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(digit), corners), extra), [], { drawn: "lock" });
}

/* Who answers? On a participant's phone a caregiver is told of the own card, on a caregiver's the participant is. */
export function who(holder, answers, chosen, back) {
  const own = holder === "PARTICIPANT" ? ["PARTICIPANT", "ASSISTED"] : ["CAREGIVER"];
  const note = h("p", { class: "note", role: "status" });
  const pick = (id) => {
    if (own.includes(id)) chosen(id);
    else note.textContent = say(id === "CAREGIVER" ? "phone.own-card-caregiver" : "phone.own-card-participant");
  };
  const cards = REPORTERS.filter(([id]) => answers.includes(id)).map(([id, key, drawn]) => h("button", { type: "button", class: "choice card", "data-who": id, onclick: () => pick(id) }, picture(drawn, "large"), h("span", { class: "label" }, say(key), h("small", null, say(`${key}-help`)))));
  screen("who", say("phone.who"), [h("div", { class: "answers" }, cards), note], [button(say("phone.back"), back, { drawn: "back" })], { drawn: "person" });
}

export function stateOf(row) {
  const key = { PHONE: "phone.state-phone", HOSPITAL: "phone.state-hospital", EVIDENCE: "phone.state-evidence", REFUSED: "phone.state-refused" }[row.state];
  return h("span", { class: `state ${row.state.toLowerCase()}` }, picture({ PHONE: "phone", HOSPITAL: "hospital" }[row.state] || "alarm"), say(key));
}

const whose = (reporter) => say({ PARTICIPANT: "phone.who-self", ASSISTED: "phone.who-assisted", CAREGIVER: "phone.who-caregiver" }[reporter]);

export function entryTitle(about) {
  return `${of(about.label)}${about.period ? ` · ${telling.shownDay(about.period, settings.language)}` : ""}`;
}

/* One thing that was sent: what, who answered, where it is, and what to do about it. */
export function row(one, zone, change) {
  const about = one.content;
  const says = one.says && (one.state === "REFUSED" || one.state === "EVIDENCE") ? h("p", null, of(one.says), " ", of(one.next)) : null;
  const kind = one.kind === "request" ? `${say("phone.change-asked")} ` : "";
  return h("li", { class: "sent-row", "data-state": one.state, "data-entry": one.id },
    h("strong", null, kind, entryTitle(about)), h("small", null, about.reporter ? `${whose(about.reporter)} · ` : "", telling.shown(one.made, settings.language, zone)), stateOf(one), says,
    one.kind === "entry" && change ? button(say("phone.ask-change"), () => change(one), { kind: "quiet" }) : null);
}

/* After sending: green on the phone, then at the hospital. */
export function sent(one, home, { quiet = false } = {}) {
  const title = { PHONE: "phone.thanks-kept", HOSPITAL: "phone.thanks" }[one.state] || "phone.state-refused";
  const drawn = { PHONE: "phone", HOSPITAL: "hospital" }[one.state] || "alarm";
  const text = { PHONE: "phone.sent-phone", HOSPITAL: "phone.sent-hospital", EVIDENCE: "phone.sent-evidence", REFUSED: "phone.sent-refused" }[one.state];
  screen("sent", say(title), [h("ul", { class: "plain" }, row(one)), h("p", { class: "lead" }, say(text))], [button(say("phone.home"), home, { kind: "primary", drawn: "home" })], { drawn, quiet });
}

export function ask(one, done, back) {
  const wish = h("textarea", { id: "wish", rows: "4", maxlength: "500", "aria-labelledby": "wish-label" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const send = (text) => { if (text.trim()) done(text.trim()); else wrong.textContent = say("phone.wish-empty"); };
  screen("ask", say("phone.ask-change"), [
    h("p", { class: "lead" }, say("phone.ask-lead")), h("p", null, h("strong", null, entryTitle(one.content))),
    button(say("phone.wish-call"), () => send(say("phone.wish-call")), { drawn: "phone" }),
    h("label", { id: "wish-label", for: "wish" }, say("phone.wish")), wish, wrong,
  ], [button(say("phone.send-request"), () => send(wish.value), { kind: "primary", drawn: "send" }), button(say("phone.back"), back, { drawn: "back" })], { drawn: "list" });
}

/* Settings: each a group of keys, one of them pressed. `set` keeps one and draws the screen again. */
export function options(set, back, more) {
  const group = (name, key, choices) => h("fieldset", null, h("legend", null, say(key)), h("div", { class: `answers ${choices.length === 2 ? "side" : ""}` }, choices.map(([value, label]) => h("button", { type: "button", class: "choice", "data-set": `${name}=${value}`, "aria-pressed": settings[name] === value ? "true" : "false", onclick: () => set(name, value) }, h("span", { class: "label", lang: value === "en" ? "en" : value === "zh" ? "zh-Hans" : null }, label), h("span", { class: "mark", "aria-hidden": "true" }, settings[name] === value ? "✓" : "")))));
  const onOff = (name, key) => group(name, key, [[true, say("phone.on")], [false, say("phone.off")]]);
  screen("settings", say("phone.settings"), [
    group("language", "phone.language", [["zh", "中文"], ["en", "English"]]),
    group("size", "phone.size", SIZES.map((size, at) => [size, say("phone.size-n", { n: at + 1 })])),
    group("hand", "phone.hand", [["left", say("phone.left")], ["right", say("phone.right")]]),
    group("pages", "phone.pages", [["one", say("phone.pages-one")], ["section", say("phone.pages-section")]]),
    onOff("yesno", "phone.yesno"), onOff("aloud", "phone.aloud"), onOff("contrast", "phone.contrast"),
    group("look", "phone.look", [["auto", say("phone.look-auto")], ["light", say("phone.look-light")], ["dark", say("phone.look-dark")]]),
    more,
  ], [button(say("phone.done"), back, { kind: "primary" })], { drawn: "gear" });
}

/* How to put the page on the home screen. `offer`: the browser's own way, where it has one. */
export function install(offer, back, iosFirst) {
  const apple = /iPad|iPhone|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
  const steps = apple ? ["phone.install-ios-1", "phone.install-ios-2", "phone.install-ios-3"] : ["phone.install-1", "phone.install-2", "phone.install-3"];
  const keys = [button(say(iosFirst ? "phone.install-skip" : "phone.done"), back, { kind: offer ? "" : "primary" })];
  if (offer) keys.unshift(button(say("phone.install-now"), offer, { kind: "primary", drawn: "home" }));
  screen("install", say("phone.install"), [h("p", { class: "lead" }, say("phone.install-why")), h("ol", { class: "steps" }, steps.map((key) => h("li", null, say(key))))], keys, { drawn: "home" });
}

export const installed = () => navigator.standalone === true || (window.matchMedia && matchMedia("(display-mode: standalone)").matches);
export const needsAppleWay = () => "standalone" in navigator && navigator.standalone === false;

export function lost(title, text, keys = []) {
  screen("lost", title, h("p", { class: "lead" }, text), keys, { drawn: "alarm" });
}

/* The home screen. `view`: person, slots with what is done, drafts, rows, waiting, oldest; `acts`: what can be done. */
export function home(view, acts, { quiet = false } = {}) {
  const { person, plan } = view;
  const emergency = h("a", { class: "call slim", href: `tel:${plan.emergency.number}` }, picture("phone"), h("span", null, say("phone.call", { number: plan.emergency.number })));
  screen("home", say("phone.hello"), [
    person.name ? null : h("p", { class: "number" }, say("phone.your-number", { number: person.number })),
    warnings(view), due(view, acts),
    button(say("phone.happened"), acts.happened, { drawn: "event" }),
    notices(view, acts),
    sentList(view, acts),
    h("p", { class: "helper unwatched" }, of(plan.emergency.not_watched)), emergency,
  ], [button(say("phone.settings"), acts.settings, { drawn: "gear" }), button(say("phone.lock"), acts.lock, { drawn: "lock" })], { quiet });
}

/* That this phone counts no more; what is lost, or about to be: before everything else. */
function warnings(view) {
  const found = [];
  const { refused } = view.person;
  if (refused) found.push(`${of(refused.says)} ${of(refused.next)}`);
  if (view.over.length) found.push(say("phone.draft-over", { n: view.over.length }));
  if (tooLong(view)) found.push(say("phone.waiting-long", { n: view.waiting }));
  return found.length ? h("div", { class: "notices" }, found.map((text) => h("p", { class: "notice warn" }, text))) : null;
}

const tooLong = (view) => view.oldest !== null && Date.now() - view.oldest >= WARN_AFTER && !installed();

function notices(view, acts) {
  const found = [];
  const { waiting } = view;
  if (waiting) {
    found.push(h("div", { class: "notice soft", id: "waiting" }, h("p", null, say("phone.waiting", { n: waiting })), button(say("phone.send-now"), acts.carry, { kind: "quiet", drawn: "send" })));
  }
  if (!installed()) found.push(h("div", { class: "notice soft" }, h("p", null, say("phone.not-installed")), button(say("phone.install"), acts.install, { kind: "quiet", drawn: "home" })));
  return h("div", { class: "notices" }, found);
}

function due(view, acts) {
  const open = view.slots.map((slot) => {
    const form = view.plan.forms.find((one) => one.id === slot.form);
    if (!form) return null;
    const title = `${of(form.label)} · ${telling.shownDay(slot.period, settings.language)}`;
    if (slot.done) return h("p", { class: "done" }, picture("yes"), h("span", null, h("strong", null, title), " ", say("phone.filled-in")));
    const begun = view.drafts.some((one) => one.form === slot.form && one.period === slot.period);
    return h("div", { class: "due" }, h("button", { type: "button", class: "key primary huge", "data-slot": slot.period, onclick: () => acts.fill(form, slot) }, picture(form.picture || "list"), h("span", null, say(begun ? "phone.go-on" : "phone.fill-in"), h("small", null, title))),
      h("small", null, say("phone.open-until", { when: telling.shown(slot.closes, settings.language, view.person.zone) })));
  });
  const next = view.next ? say("phone.next-opens", { when: telling.shown(view.next.opens, settings.language, view.person.zone) }) : say("phone.none-next");
  return h("div", { class: "slots" }, open, view.slots.some((slot) => !slot.done) ? null : h("p", { class: "lead" }, next));
}

function sentList(view, acts) {
  const shown = view.rows.filter((one) => one.kind === "entry" || one.kind === "request").sort((a, b) => b.made - a.made);
  if (!shown.length) return null;
  return h("section", { "aria-labelledby": "sent-list" }, h("h2", { id: "sent-list" }, say("phone.sent-list")), h("ul", { class: "plain" }, shown.slice(0, view.all ? 200 : 3).map((one) => row(one, view.person.zone, acts.change))),
    shown.length > 3 && !view.all ? button(say("phone.show-all"), acts.all, { kind: "quiet" }) : null);
}

export function events(forms, chosen, back) {
  screen("events", say("phone.happened"), h("div", { class: "answers" }, forms.map((form) => h("button", { type: "button", class: "choice", "data-form": form.id, onclick: () => chosen(form) }, picture(form.picture || "event"), h("span", { class: "label" }, of(form.label))))), [button(say("phone.back"), back, { drawn: "back" })], { drawn: "event" });
}
