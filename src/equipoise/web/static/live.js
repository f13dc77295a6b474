/* While somebody types: what a date means, which items apply, what is derived, which check would speak.

   Rules that must stay true: what is typed before the interpreter has come is judged as soon as it has; nothing here is sent or stored, the server judges every save by itself; no field is
   replaced, no focus moves, and an item that holds an answer is never hidden here; what the server said about an item
   stands until that item is typed into again. The rules and their data are those that desk/rules gave this page. */

const sheet = document.getElementById("sheet");
const given = document.getElementById("rules");
const rules = JSON.parse(given.dataset.rules);
const words = given.dataset;
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
let evaluate, readValue, writeValue, typedDate, typedTime, typedNumber, typedLimit; // there once the interpreter has come

const REASONS = { ND: "not-done", UK: "not-known", NA: "not-applicable", RF: "refused", UN: "untestable" };
const itemOf = (id) => sheet.querySelector(`.item[data-item="${CSS.escape(id)}"]`);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (slot, name) => values[name] ?? slot);
const touched = new Set(typedBefore()); // items typed into since the server last spoke
let waiting = 0;

/** Items typed into before this script came, but for those of which the server has spoken since. */
function typedBefore() {
  const changed = (field) => {
    if (field.type === "radio") return field.checked !== field.defaultChecked;
    const was = field.options ? ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value : field.defaultValue;
    return field.value !== was;
  };
  const items = [...sheet.querySelectorAll(".item")].filter((item) => [...item.querySelectorAll("[name^='v.'], [name^='m.'], [name^='u.']")].some(changed));
  return items.map((item) => item.dataset.item).filter(stillOpen);
}

/** Whether the server has yet to speak of an item: it waits in the queue, or is being typed into. */
function stillOpen(id) {
  return !("open" in sheet.dataset) || sheet.dataset.open.split(" ").includes(id) || id === document.activeElement?.closest(".item")?.dataset.item;
}

/* --- what an item holds ------------------------------------------------------------------------------------- */

function read(item) {
  const fields = [...item.querySelectorAll("[name^='v.']")];
  if (item.dataset.control === "choice") {
    const chosen = fields.find((radio) => radio.checked)?.value ?? "";
    return chosen.startsWith("!") ? { text: "", missing: chosen.slice(1) } : { text: chosen, missing: "" };
  }
  return { text: fields[0]?.value.trim() ?? "", missing: item.querySelector("[name^='m.']")?.value ?? "" };
}

/** The text as the server would store it; null where it would not take it. */
function stored(item, { text }) {
  const about = rules.items[item.dataset.item];
  if (about?.type === "date") return typedDate(text, rules.six, rules.today, about.past);
  if (about?.type === "time") return typedTime(text);
  if (about?.kind === "number") return typedNumber(text);
  return text;
}

function valueOf(id) {
  const about = rules.items[id];
  const item = itemOf(id);
  const held = item ? read(item) : { text: "", missing: "" };
  const empty = about.kind === "number" ? { number: [null, null], unit: about.unit } : about.kind === "date" ? { date: null } : about.kind === "truth" ? { truth: "U" } : { code: null };
  if (!held.text || held.missing) return readValue({ ...empty, reasons: [REASONS[held.missing] ?? "missing"] });
  const text = stored(item, held);
  if (text === null) return readValue({ ...empty, reasons: [about.measured && typedLimit(held.text) ? "missing" : "type"] });
  if (about.kind === "number") {
    const unit = unitOf(item);
    return readValue({ number: unit ? inOwnUnit(id, text, unit) : text, unit: about.unit });
  }
  if (about.kind === "date") return readValue({ date: text });
  if (about.kind === "truth") return readValue({ truth: text === "Y" ? "T" : "F" });
  return readValue({ code: text });
}

const unitOf = (item) => item.querySelector("[name^='u.']")?.value ?? "";

/** A number written in another unit, in the item's own, to two places more than it has. */
function inOwnUnit(id, text, unit) {
  const number = readValue({ number: text, unit: `${id} ${unit}` });
  const amount = { call: "amount", of: [{ name: "v" }, { text: `${id} ` }] };
  const rounded = { call: "round", of: [amount, { number: String(rules.items[id].digits + 2) }] };
  return writeValue(evaluate(rounded, new Map([["v", number]]))).number;
}

/** A coded answer as the number or truth that the study declares an input to be. */
function declared(value, as) {
  if (value.kind !== "code" || as === "code") return value;
  const reasons = value.reasons.length ? value.reasons : ["missing"];
  if (as === "truth") return readValue({ Y: { truth: "T" }, N: { truth: "F" } }[value.code] ?? { truth: "U", reasons });
  if (as === "number") return readValue(/^[0-9]+$/.test(value.code ?? "") ? { number: value.code } : { number: [null, null], reasons });
  return value;
}

function scopeNow() {
  const scope = new Map();
  for (const [name, input] of Object.entries(rules.inputs)) {
    const held = input.item && itemOf(input.item) ? read(itemOf(input.item)) : null;
    const here = held && (held.text || held.missing);
    scope.set(name, here ? declared(valueOf(input.item), input.as) : readValue(input.value));
  }
  for (const id of Object.keys(rules.items)) scope.set(id, valueOf(id));
  return scope;
}

/* --- what follows ------------------------------------------------------------------------------------------- */

function hide(scope) {
  for (const [id, tree] of Object.entries(rules.visible)) {
    const item = itemOf(id);
    if (!item) continue;
    const applies = evaluate(tree, scope).truth === "T";
    const held = read(item);
    if (applies) item.hidden = false;
    else if (!held.text && !held.missing && !item.contains(document.activeElement)) item.hidden = true;
  }
}

function derive(scope) {
  for (const [id, tree] of Object.entries(rules.derived)) {
    const place = document.querySelector(`[data-derived="${CSS.escape(id)}"]`);
    if (!place) continue;
    const json = writeValue(evaluate(tree, scope));
    const known = json.reasons === undefined ? (json.number ?? json.date ?? json.code ?? words[`truth${json.truth}`]) : null;
    const text = typeof known === "string" ? known : "—";
    if (place.textContent !== text) place.textContent = text;
  }
}

function unlikely(id, scope) {
  const about = rules.items[id];
  const value = scope.get(id);
  if (about?.kind !== "number" || value.reasons.length) return null;
  const outside = (ends) => {
    const [low, high] = ends.map((end) => (end === null ? null : { number: end, unit: about.unit }));
    const beyond = (end, sign) => end && evaluate({ op: sign, of: [{ name: "v" }, { name: "end" }] }, new Map([["v", value], ["end", readValue(end)]])).truth === "T";
    return beyond(low, "<") || beyond(high, ">");
  };
  const item = itemOf(id);
  if (outside(about.possible)) {
    const ends = about.possible.map((end) => end ?? "–");
    return { refuses: true, says: fill(words.impossible, { item: about.label[language], low: ends[0], high: ends[1], unit: about.unit ?? "", value: read(item).text }) };
  }
  return about.expected && outside(about.expected) ? { refuses: false, says: about.unlikely[language] } : null;
}

function understood(item) {
  const held = read(item);
  const about = rules.items[item.dataset.item];
  const limit = about?.measured && !held.missing ? typedLimit(held.text) : null;
  if (limit) {
    const number = limit.slice(1);
    const value = unitOf(item) ? inOwnUnit(item.dataset.item, number, unitOf(item)) : number;
    return { says: fill(limit[0] === "<" ? words.belowLimit : words.aboveLimit, { value, unit: item.querySelector("[name^='u.'] option, .unit")?.textContent ?? "" }) };
  }
  if (about?.kind === "number" && held.text && !held.missing && unitOf(item)) {
    const number = typedNumber(held.text);
    return number && { says: fill(words.ownUnit, { value: inOwnUnit(item.dataset.item, number, unitOf(item)), unit: item.querySelector("[name^='u.'] option").textContent }) };
  }
  if (!held.text || held.missing || (about?.type !== "date" && about?.type !== "time")) return null;
  const meant = stored(item, held);
  if (meant === null) return { unclear: true, says: about.type === "date" ? words.noDate : words.noTime };
  if (about.type === "time") return meant === held.text ? null : { says: fill(words.timeRead, { time: meant }) };
  const parts = meant.split("-").length;
  const says = fill([words.year, words.month, words.day][parts - 1], { date: meant, weekday: parts === 3 ? weekday(meant) : "" });
  return { says };
}

const weekday = (iso) => new Date(`${iso}T12:00:00Z`).toLocaleDateString(language === "zh" ? "zh-CN" : "en-GB", { weekday: "long", timeZone: "UTC" });

function findings(scope) {
  const found = new Map(); // item id -> lines
  const add = (id, line) => found.set(id, [...(found.get(id) ?? []), line]);
  for (const id of touched) {
    const item = itemOf(id);
    if (!item || item.hidden) continue;
    const meaning = understood(item);
    if (meaning) add(id, meaning);
    const range = unlikely(id, scope);
    if (range) add(id, range);
  }
  for (const check of rules.checks) {
    if (!check.items.some((id) => touched.has(id))) continue;
    if (evaluate(check.holds, scope).truth !== "F") continue;
    const where = check.items.find((id) => touched.has(id));
    if (!itemOf(where)?.hidden) add(where, { refuses: check.refuses, says: check.says[language] });
  }
  return found;
}

/** Lines under the items, changed only where they say something else; what a reader hears is never repeated. */
function say(found) {
  for (const item of sheet.querySelectorAll(".item")) {
    const place = item.querySelector(".live");
    if (!place) continue;
    const lines = found.get(item.dataset.item) ?? [];
    const key = JSON.stringify(lines);
    if ((place.dataset.said ?? "[]") === key) continue;
    place.dataset.said = key;
    place.replaceChildren(...lines.map((line) => {
      const made = document.createElement("p");
      made.className = line.refuses ? "error" : line.refuses === false ? "ask" : line.unclear ? "note unclear" : "note muted";
      const prefix = line.refuses ? words.wouldRefuse : line.refuses === false ? words.wouldAsk : "";
      made.textContent = prefix ? `${prefix} ${line.says}` : line.says;
      return made;
    }));
  }
}

function judge() {
  if (!evaluate) return;
  const scope = scopeNow();
  hide(scope);
  derive(scope);
  say(findings(scope));
}

function onTyping(event) {
  const item = event.target.closest?.(".item");
  if (!item || !/^[vmu]\./.test(event.target.name ?? "") || event.isComposing) return;
  touched.add(item.dataset.item);
  clearTimeout(waiting);
  if (event.target.type === "radio") judge(); // at once: a key that answers goes on to the item that this answer opens
  else waiting = setTimeout(judge, event.type === "input" ? 120 : 0);
}

sheet.addEventListener("input", onTyping);
sheet.addEventListener("change", onTyping);
sheet.addEventListener("compositionend", onTyping);
sheet.addEventListener("standing", () => {
  for (const id of [...touched]) if (!stillOpen(id)) touched.delete(id);
  clearTimeout(waiting);
  judge();
});

const [expressions, typed] = await Promise.all([import(words.interpreter), import(words.typed)]);
({ typedDate, typedTime, typedNumber, typedLimit } = typed);
({ evaluate, readValue, writeValue } = expressions);
expressions.useUnits(rules.units);
judge();
sheet.dataset.live = "";
sheet.dispatchEvent(new Event("live"));
