/* The form page: keyboard entry, and a queue that saves item by item.

   Rules that must stay true: what was typed is never lost, whatever the server or the line does; a save keeps its key
   and its bytes on every retry, so that a retry is a replay; an answer never replaces an input and never moves the
   focus; keys are left alone while an input method is composing. Without this file the page is a plain form. */

document.documentElement.classList.add("js");
const byId = (id) => document.getElementById(id);
const sheet = byId("sheet");
const words = sheet.dataset;
const editable = "editable" in words;
const token = sheet.querySelector("[name=csrfmiddlewaretoken]").value;
const items = [...sheet.querySelectorAll(".item:not([data-kept])")];
const idOf = (item) => item.dataset.item;
const itemOf = (id) => items.find((item) => idOf(item) === id);
const fieldsOf = (item) => [...item.querySelectorAll("[name^='v.']")];
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (slot, name) => values[name] ?? slot);

let base = Number(words.base);
let reasonNeeded = "reasonNeeded" in words;
const queue = []; // saves not acknowledged yet, oldest first
const known = new Map(); // item id -> what its fields held when the server last took it
const recorded = new Map(); // item id -> what the server holds of it, as far as this page has seen
const waiting = new Map(); // item id -> changed, and waits for a reason from the person
const refused = new Set(); // item ids whose typed value the server did not take
let sending = false;
let trouble = ""; // what the server last said when it could not save
let pause = 0;
let timer = 0;
let savedAt = "";
let completed = false;
let leaving = ""; // where the person wants to go once all is saved

/* --- what an item holds ------------------------------------------------------------------------------------ */

function read(item) {
  const why = item.querySelector("[name^='w.']")?.value ?? "";
  if (item.dataset.control === "choice") {
    const chosen = fieldsOf(item).find((radio) => radio.checked)?.value ?? "";
    return chosen.startsWith("!") ? { value: "", missing: chosen.slice(1), why } : { value: chosen, missing: "", why: "" };
  }
  const beside = (name) => item.querySelector(`[name^='${name}.']`)?.value ?? "";
  return { value: fieldsOf(item)[0].value, missing: beside("m"), why: "", unit: beside("u") };
}

function write(item, given) {
  for (const field of fieldsOf(item)) {
    if (field.type === "radio") field.checked = field.value !== "" && field.value === codeOf(given);
    else field.value = given.value;
  }
  const missing = item.querySelector("[name^='m.']");
  if (missing) missing.value = given.missing;
  const unit = item.querySelector("[name^='u.']");
  if (unit) unit.value = given.unit ?? "";
}

const codeOf = (given) => (given.missing ? `!${given.missing}` : given.value);
const same = (a, b) => a.value.trim() === b.value.trim() && a.missing === b.missing && (a.why ?? "") === (b.why ?? "") && (a.unit ?? "") === (b.unit ?? "");
const empty = (given) => given.value.trim() === "" && given.missing === "";

/** What is on its way to the server, or else what it holds. */
function latest(id) {
  for (let at = queue.length - 1; at >= 0; at -= 1) if (queue[at].items?.[id]) return queue[at].items[id];
  return known.get(id);
}

function spoken(item, given) {
  const chosen = fieldsOf(item).find((field) => field.type === "radio" && field.value === codeOf(given));
  return (codeOf(given) && chosen?.nextElementSibling.textContent.trim()) || given.value || given.missing || words.empty;
}

/* --- from a change to a save ------------------------------------------------------------------------------- */

/** An item may have changed: save it, or ask first for what a save needs. True when it waits for the person. */
function note(item) {
  if (!editable || !item) return false;
  const id = idOf(item);
  const given = read(item);
  const why = item.querySelector("[data-bar=why]");
  if (why) why.toggleAttribute("data-off", !item.dataset.needsWhy.split(" ").includes(given.missing));
  if (same(given, latest(id)) && !refused.has(id)) {
    settleBars(item);
    waiting.delete(id);
    show();
    return false;
  }
  if (why && !why.hasAttribute("data-off") && !given.why.trim()) {
    waiting.set(id, item);
    show();
    return true;
  }
  clearRefusal(item);
  if (reasonNeeded) return askReason(item, given);
  waiting.delete(id);
  enqueue({ items: { [id]: given } });
  return false;
}

function askReason(item, given) {
  waiting.set(idOf(item), item);
  const bars = item.querySelector(".bars");
  let bar = bars.querySelector("[data-bar=reason]");
  if (!bar) {
    bar = byId("reason-bar").content.firstElementChild.cloneNode(true);
    bars.append(bar);
    const other = bar.querySelector("[data-other]");
    bar.querySelector("[data-reason]").addEventListener("change", (event) => {
      other.hidden = event.target.value !== "other";
      if (!other.hidden) other.focus();
      else if (event.target.value) giveReason(event.target.value, item);
    });
    other.addEventListener("change", () => other.value.trim() && giveReason(other.value.trim(), item));
  }
  bar.querySelector("[data-was]").textContent = fill(words.was, {
    old: spoken(item, known.get(idOf(item))),
    new: spoken(item, given),
  });
  show();
  return true;
}

/** One reason serves every item that waits for one. */
function giveReason(reason, from) {
  const changed = {};
  for (const [id, item] of waiting) {
    if (!item.querySelector("[data-bar=reason]")) continue;
    changed[id] = read(item);
    waiting.delete(id);
    settleBars(item);
  }
  focusItem(from);
  enqueue({ items: changed, reason });
}

function settleBars(item) {
  item.querySelectorAll("[data-bar=reason], [data-bar=conflict], [data-bar=hide]").forEach((bar) => bar.remove());
}

function clearRefusal(item) {
  refused.delete(idOf(item));
  const bars = item.querySelectorAll("[data-bar=refusal], .notes .error");
  released.then(() => bars.forEach((bar) => bar.remove()));
  fieldsOf(item).forEach((field) => field.removeAttribute("aria-invalid"));
}

/* --- the queue --------------------------------------------------------------------------------------------- */

function enqueue(save) {
  queue.push({ key: newKey(), client_at: new Date().toISOString(), ...save });
  show();
  send();
}

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const plain = (save) => save.items && !save.complete && !save.reason && !save.body && !save.alone && !save.hide;

/* While something on the page is pressed an answer waits: what it puts above would move the aim away and lose the press. */
let released = Promise.resolve();
addEventListener("pointerdown", () => {
  const heard = new AbortController();
  released = new Promise((done) => {
    const free = () => setTimeout(done, 50); // after the click that the press becomes
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, free, { capture: true, signal: heard.signal });
    setTimeout(done, 2000); // a press whose end the page never hears of
  }).then(() => heard.abort());
}, { capture: true });

async function send() {
  if (sending || timer || !queue.length) return;
  const save = queue[0];
  if (!save.body) {
    // What was typed while the last save was under way goes together; from here on its bytes stand still.
    while (plain(save) && queue[1] && plain(queue[1])) Object.assign(save.items, queue.splice(1, 1)[0].items);
    save.body = JSON.stringify({ ...save, base });
  }
  sending = true;
  setTimeout(show, 400);
  let reply = null;
  let status = 0;
  try {
    const response = await fetch(sheet.action, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
      body: save.body,
    });
    status = response.status;
    reply = await response.json();
  } catch {
    status = 0; // no answer, or none of ours: the save waits
  }
  await released;
  sending = false;
  if (reply && (status === 200 || status === 409 || status === 422)) {
    queue.shift();
    trouble = "";
    pause = 0;
    settle(save, reply);
    send();
  } else {
    trouble = status === 401 ? words.signedOut : (reply?.problems?.[0]?.says ?? words.offline);
    pause = Math.min(pause ? pause * 2 : 1, 10);
    timer = setTimeout(again, pause * 1000);
  }
  show();
}

function again() {
  clearTimeout(timer);
  timer = 0;
  send();
}

function settle(save, reply) {
  base = Math.max(base, reply.base);
  const problems = reply.accepted ? [] : reply.problems.filter((one) => one.rule !== "capture.nothing-changed");
  const ids = Object.keys(save.items ?? {});
  if (!problems.length) ids.forEach((id) => taken(id, save.items[id], reply));
  else if (problems.some((one) => one.rule === "entry.would-hide")) askHiding(save, ids, problems);
  else if (problems.some((one) => one.rule.endsWith("stale"))) ids.forEach((id) => compare(id, save, reply));
  else if (ids.length > 1 && !save.reason) {
    // One bad value must not hold up the good ones that went with it.
    queue.unshift(...ids.map((id) => ({ key: newKey(), client_at: save.client_at, items: { [id]: save.items[id] }, alone: true })));
  } else refuse(save, ids, problems);
  catchUp(ids, reply);
  standing(reply);
  if (!problems.length) {
    savedAt = (reply.at ? new Date(reply.at) : new Date()).toLocaleTimeString("en-GB");
    completed = reply.state === "complete";
  }
  if (save.complete && !problems.length) byId("complete")?.setAttribute("hidden", "");
}

const now = (id, reply) => {
  const [value, missing, unit] = reply.values[id] ?? ["", "", ""];
  return { value, missing, why: "", unit };
};
const equal = (a, b) => a.value === b.value && a.missing === b.missing && (a.unit ?? "") === (b.unit ?? "");

function taken(id, sent, reply) {
  const item = itemOf(id);
  const held = now(id, reply);
  clearRefusal(item);
  known.set(id, sent);
  recorded.set(id, held);
  const field = fieldsOf(item)[0];
  if (held.value && field.type !== "radio" && same(read(item), sent) && document.activeElement !== field) {
    field.value = held.value; // 140826 becomes 2026-08-14, in the field that the person has left
    known.set(id, { ...sent, value: held.value });
  }
}

/** A save came too late for one of its items: what is the same needs nothing, what nobody else touched is sent again. */
function compare(id, save, reply) {
  const mine = save.items[id];
  const theirs = now(id, reply);
  if (equal(theirs, mine)) known.set(id, mine);
  else if (equal(theirs, recorded.get(id))) enqueue({ items: { [id]: mine }, reason: save.reason });
  else askWhich(itemOf(id), mine, theirs, reply.theirs?.[id]);
  recorded.set(id, theirs);
}

/** The new base covers what others changed meanwhile: show it where nothing is being typed, ask where something is. */
function catchUp(settled, reply) {
  for (const item of items) {
    const id = idOf(item);
    const theirs = now(id, reply);
    if (settled.includes(id) || equal(theirs, recorded.get(id))) continue;
    const mine = read(item);
    if (!equal(mine, theirs) && (!same(mine, known.get(id)) || latest(id) !== known.get(id))) {
      queue.forEach((save) => !save.body && save.items && delete save.items[id]);
      askWhich(item, mine, theirs);
    } else {
      write(item, theirs);
      known.set(id, read(item));
    }
    recorded.set(id, theirs);
  }
}

/** An answer that closes items with values: the person says whether they go. */
function askHiding(save, ids, problems) {
  const item = itemOf(ids[0]);
  if (!item) return;
  settleBars(item);
  const bar = byId("hide-bar").content.firstElementChild.cloneNode(true);
  bar.querySelector("[data-says]").textContent = problems.map((one) => one.says).join(" ");
  item.querySelector(".bars").append(bar);
  waiting.set(ids[0], item);
  bar.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-hide]")?.dataset.hide;
    if (!choice) return;
    bar.remove();
    waiting.delete(ids[0]);
    if (choice === "agreed") enqueue({ items: save.items, reason: save.reason, hide: true });
    else ids.forEach((id) => write(itemOf(id), known.get(id)));
    focusItem(item);
    show();
  });
}

function askWhich(item, mine, theirs, whose = []) {
  const id = idOf(item);
  const bar = byId("conflict-bar").content.firstElementChild.cloneNode(true);
  bar.querySelector("[data-theirs]").textContent = spoken(item, theirs);
  bar.querySelector("[data-whose]").textContent = whose.length ? ` (${whose.join(", ")})` : "";
  bar.querySelector("[data-mine]").textContent = spoken(item, mine);
  settleBars(item);
  item.querySelector(".bars").append(bar);
  waiting.set(id, item);
  known.set(id, theirs);
  bar.addEventListener("click", (event) => {
    const keep = event.target.closest("[data-keep]")?.dataset.keep;
    if (!keep) return;
    bar.remove();
    waiting.delete(id);
    if (keep === "theirs") write(item, theirs);
    focusItem(item);
    note(item);
    show();
  });
}

function refuse(save, ids, problems) {
  ids.forEach((id) => refused.add(id));
  let first = null;
  for (const one of problems) {
    const item = itemOf(one.where) ?? itemOf(ids[0]);
    if (!item) {
      trouble = one.says;
      continue;
    }
    first ??= item;
    item.querySelectorAll("[data-bar=refusal]").forEach((bar) => bar.remove());
    const bar = byId("refusal-bar").content.firstElementChild.cloneNode(true);
    bar.querySelector("[data-says]").textContent = one.says;
    if (one.why) {
      bar.querySelector("[data-why]").innerHTML = one.why; // escaped where it was written, as the page's notes are
      bar.querySelector("details").hidden = false;
    }
    item.querySelector(".bars").append(bar);
    if (ids.length) fieldsOf(item).forEach((field) => field.type !== "radio" && field.setAttribute("aria-invalid", "true"));
  }
  if (save.complete && first) focusItem(first); // the person asked for it by pressing “complete”
}

/* --- what stands on the page ------------------------------------------------------------------------------- */

function standing(reply) {
  reasonNeeded = reply.reason_needed;
  byId("state").textContent = reply.state_says;
  byId("state").classList.toggle("good", reply.state === "complete");
  byId("left").textContent = reply.left_says;
  byId("totals").innerHTML = reply.totals;
  byId("totals-card").hidden = !reply.totals;
  byId("reopen")?.toggleAttribute("hidden", reply.state !== "complete");
  for (const item of items) {
    const id = idOf(item);
    const notes = item.querySelector(".notes");
    const html = reply.notes[id] ?? "";
    if (!notes.contains(document.activeElement) && notes.innerHTML !== html) notes.innerHTML = html;
    item.hidden = reply.hidden.includes(id);
    item.querySelector("[data-tool=history]")?.classList.toggle("has", reply.changed.includes(id));
  }
  tellOpen();
  sheet.dispatchEvent(new Event("standing"));
}

/** What the page still waits for: items that the server has not taken, in the order of the form. */
const open = () => [...waiting.keys(), ...refused, ...queue.flatMap((save) => Object.keys(save.items ?? {}))];

/** For what judges while somebody types. */
function tellOpen() {
  sheet.dataset.open = open().join(" ");
}

function show() {
  tellOpen();
  const line = byId("save-state");
  const says = line.querySelector("span");
  const [text, icon] = trouble && queue.length
    ? [fill(words.refused, { n: queue.length }), "offline"]
    : refused.size
      ? [fill(words.refused, { n: refused.size }), "alert"]
      : waiting.size
        ? [words.waiting, "history"]
        : queue.length
          ? [words.saving, "saved"]
          : savedAt
            ? [fill(completed ? words.completed : words.saved, { time: savedAt }), "saved"]
            : [says.textContent, ""];
  const slow = !queue.length || trouble || !savedAt || text !== words.saving || sending;
  if (slow && says.textContent !== text) says.textContent = text;
  line.classList.toggle("bad", icon === "offline" || icon === "alert");
  const use = line.querySelector("use");
  if (use && icon) use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  if (leaving && !queue.length && !waiting.size && !refused.size) location.assign(leaving);
  if (waiting.size || refused.size || trouble) leaving = "";
  byId("trouble").hidden = !trouble;
  byId("trouble-says").textContent = fill(trouble, { n: queue.length });
}

/* --- moving ------------------------------------------------------------------------------------------------ */

const shown = () => items.filter((item) => !item.hidden);

function focusItem(item) {
  const fields = item ? fieldsOf(item).filter((field) => !field.disabled) : [];
  (fields.find((field) => field.checked) ?? fields[0] ?? item?.querySelector("[data-tool=history]"))?.focus();
}

function step(item, by) {
  const every = shown();
  const next = every[every.indexOf(item) + by];
  if (next) focusItem(next);
}

function focusEmpty() {
  const wanted = shown().find((item) => empty(read(item)) && item.querySelector(".need"));
  if (wanted) focusItem(wanted);
}

function complete() {
  note(document.activeElement?.closest(".item"));
  if (waiting.size) {
    const [first] = waiting.values();
    first.querySelector("[data-bar=why]:not([data-off]) input, .bars select, .bars button")?.focus();
  } else if (byId("complete") && !byId("complete").hidden) enqueue({ items: {}, complete: true });
}

/* --- keys and clicks --------------------------------------------------------------------------------------- */

function chooseByKey(item, key) {
  const radio = fieldsOf(item).find((field) => field.dataset.key?.toLowerCase() === key);
  if (!radio || !editable) return false;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true })); // opens what applies after this answer
  const waits = note(item);
  const why = item.querySelector("[data-bar=why]:not([data-off]) input");
  if (waits && why) why.focus();
  else if (waits) item.querySelector(".bars select")?.focus();
  else step(item, 1);
  return true;
}

function keyInField(event, item) {
  const field = event.target;
  if (event.key === "Enter" && !event.shiftKey && field.tagName !== "BUTTON") {
    if (field.name?.startsWith("q.")) return field.parentElement.querySelector("button").click() ?? true;
    if (field.matches("[data-text]")) return field.closest("[data-bar]").querySelector("[data-send]").click() ?? true;
    if (field.tagName === "SELECT" && field.closest(".bars")) return false;
    if (!note(item)) step(item, 1);
    return true;
  }
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && field.tagName === "INPUT") {
    step(item, event.key === "ArrowDown" ? 1 : -1);
    return true;
  }
  const letter = event.key.normalize("NFKC").toLowerCase();
  if (item.dataset.control === "date" && field.name?.startsWith("v.") && !field.value && (letter === "t" || letter === "v")) {
    const button = item.querySelector(letter === "t" ? "[data-fill=today]" : "[data-fill]:not([data-fill=today])");
    if (!button) return false;
    fillDate(button, item);
    step(item, 1);
    return true;
  }
  return false;
}

function keyOnItem(event, item) {
  const key = event.key.normalize("NFKC").toLowerCase();
  const radios = fieldsOf(item).filter((field) => field.offsetParent !== null);
  if (event.target.type === "radio" && chooseByKey(item, key)) return true;
  const moves = { arrowdown: 1, arrowup: -1, enter: 1 };
  if (event.target.type === "radio" && key in moves) return step(item, moves[key]) ?? true;
  if (event.target.type === "radio" && (key === "arrowleft" || key === "arrowright")) {
    const at = radios.indexOf(event.target) + (key === "arrowright" ? 1 : -1);
    radios[at]?.focus();
    return true;
  }
  if (key === "q") return openQuery(item);
  if (key === "h") return item.querySelector("[data-tool=history]")?.click() ?? true;
  return false;
}

function onKey(event) {
  if (event.isComposing || event.keyCode === 229 || event.altKey || event.metaKey) return;
  const item = event.target.closest(".item");
  const typing = event.target.matches("textarea, select, input:not([type=radio])");
  let done = false;
  if (event.ctrlKey) {
    if (event.key !== "Enter") return;
    done = complete() ?? true;
  } else if (event.key === "Escape") {
    if (!byId("history").hidden) done = byId("history-close").click() ?? true;
  } else if (item && typing) done = keyInField(event, item);
  else if (!typing && event.key.normalize("NFKC") === "?") done = byId("keys").showModal() ?? true;
  else if (item) done = keyOnItem(event, item);
  if (done) event.preventDefault();
}

function fillDate(button, item) {
  const now = new Date();
  const today = `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
  fieldsOf(item)[0].value = button.dataset.fill === "today" ? today : button.dataset.fill;
  note(item);
}

function openQuery(item) {
  const asked = item.querySelector("[name^='q.']");
  if (asked) return asked.focus() ?? true;
  const form = byId("query-bar");
  if (!form) return false;
  let bar = item.querySelector("[data-bar=query]");
  if (!bar) {
    bar = form.content.firstElementChild.cloneNode(true);
    item.querySelector(".bars").append(bar);
    const text = bar.querySelector("[data-text]");
    const leave = () => (bar.remove(), focusItem(item));
    bar.querySelector("[data-cancel]").addEventListener("click", leave);
    bar.querySelector("[data-send]").addEventListener("click", () => {
      if (text.value.trim()) enqueue({ do: "raise", target: idOf(item), text: text.value.trim() });
      leave();
    });
  }
  bar.querySelector("[data-text]").focus();
  return true;
}

function onClick(event) {
  const item = event.target.closest(".item");
  const tool = event.target.closest("[data-tool]");
  const date = event.target.closest("[data-fill]");
  if (date) fillDate(date, item);
  else if (tool?.dataset.tool === "query") openQuery(item);
}

/** A link pressed while the last value is on its way: go when it has arrived, stay when it was refused. */
function onLeave(event) {
  const link = event.target.closest("a[href]");
  if (!link || link.dataset.tool || link.id === "history-all" || event.ctrlKey || event.metaKey || event.shiftKey) return;
  note(document.activeElement?.closest(".item"));
  if (!queue.length || trouble || waiting.size || refused.size) return;
  event.preventDefault();
  leaving = link.href;
}

/** An answer of an earlier visit comes over, marked; or a person says that it holds. */
function takeOver(wish, item, { value, unit, source }) {
  if (wish === "copy") write(item, { value, unit, missing: "" });
  clearRefusal(item);
  enqueue({ items: { [idOf(item)]: read(item) }, alone: true, ...(wish === "copy" ? { copied: { [idOf(item)]: source } } : {}) });
  focusItem(item);
}

function onSubmit(event) {
  event.preventDefault();
  const [wish, target] = (event.submitter?.value ?? "save").split(":");
  if (wish === "complete") complete();
  else if (wish === "answer" || wish === "close") {
    const field = sheet.querySelector(`[name="q.${CSS.escape(target)}"]`);
    if (wish === "answer" && !field.value.trim()) return field.focus();
    enqueue({ do: wish, target, text: field?.value ?? "" });
    focusItem(event.submitter.closest(".item"));
  } else if (wish === "copy" || wish === "confirm") takeOver(wish, itemOf(target), event.submitter.dataset);
  else note(document.activeElement?.closest(".item"));
}

for (const item of items) {
  known.set(idOf(item), read(item));
  recorded.set(idOf(item), read(item));
}
document.addEventListener("keydown", onKey);
sheet.addEventListener("change", (event) => {
  if (/^[vmwu]\./.test(event.target.name ?? "")) note(event.target.closest(".item"));
});
sheet.addEventListener("click", onClick);
sheet.addEventListener("submit", onSubmit);
document.addEventListener("click", onLeave);
sheet.addEventListener("unreachable", () => {
  trouble = words.offline;
  show();
});
byId("retry").addEventListener("click", again);
addEventListener("online", again);
document.addEventListener("visibilitychange", () => note(document.activeElement?.closest(".item")));
addEventListener("beforeunload", (event) => {
  note(document.activeElement?.closest(".item"));
  if (queue.length || waiting.size || refused.size) event.preventDefault();
});
if (editable) {
  byId("next-empty").addEventListener("click", focusEmpty);
  if (!location.hash && !byId("problems") && document.activeElement === document.body) focusEmpty();
}
