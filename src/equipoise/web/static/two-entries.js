/* Double entry: keys for who types from paper, and for who settles two entries.

   Rules that must stay true: nothing is sent before its button is pressed; what was typed stays where it is, and leaving
   the page with it asks first; keys are left alone while an input method is composing. Without this file the page is a
   plain form. */

document.documentElement.classList.add("js");
const sheet = document.getElementById("sheet");
const settling = document.getElementById("settling");
const form = sheet ?? settling;
let sending = false;
let touched = document.getElementById("problems") !== null;

const units = () => [...form.querySelectorAll(sheet ? ".item:not([data-kept])" : ".differs")].filter((one) => !one.hidden);
const unitOf = (element) => element.closest(sheet ? ".item" : ".differs");
const radiosOf = (unit, name) => [...unit.querySelectorAll(`input[type=radio][name^='${name}.']`)];
const fieldsOf = (unit) => [...unit.querySelectorAll(sheet ? "[name^='v.']" : "[name^='c.']")].filter((field) => !field.disabled);

function focusUnit(unit) {
  const fields = fieldsOf(unit);
  (fields.find((field) => field.checked) ?? fields[0])?.focus();
}

function step(unit, by) {
  const every = units();
  const next = every[every.indexOf(unit) + by];
  if (next) focusUnit(next);
  else if (by > 0) form.querySelector("button.primary").focus();
}

/** The field for why a value is missing shows only with a code that asks for it. */
function why(item) {
  const bar = item?.querySelector("[data-bar=why]");
  if (!bar) return;
  const chosen = radiosOf(item, "v").find((radio) => radio.checked)?.value ?? "";
  const code = chosen.startsWith("!") ? chosen.slice(1) : (item.querySelector("[name^='m.']")?.value ?? "");
  bar.toggleAttribute("data-off", !item.dataset.needsWhy.split(" ").includes(code));
}

function neither(unit) {
  const chosen = radiosOf(unit, "c").find((radio) => radio.checked)?.value;
  unit.toggleAttribute("data-takes-neither", chosen === "NEITHER");
  return chosen === "NEITHER";
}

function today() {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}

function fillDate(button, item) {
  const field = item.querySelector("[name^='v.']");
  field.value = button.dataset.fill === "today" ? today() : button.dataset.fill;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

function keyOnDate(item, key) {
  const button = item.querySelector(key === "t" ? "[data-fill=today]" : "[data-fill]:not([data-fill=today])");
  if (!button) return false;
  fillDate(button, item);
  onwards(item);
  return true;
}

function choose(unit, name, key) {
  const radio = radiosOf(unit, name).find((one) => one.dataset.key?.toLowerCase() === key);
  if (!radio) return false;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  if (name === "c" && radio.value === "NEITHER") unit.querySelector("[data-neither] [name^='v.']")?.focus();
  else onwards(unit);
  return true;
}

/** To the next item; where what shows the items that apply comes only later, then to the one it has opened before that. */
function onwards(unit) {
  step(unit, 1);
  if (!document.getElementById("rules") || "live" in sheet.dataset) return;
  const to = document.activeElement;
  const was = to.value;
  sheet.addEventListener("live", () => document.activeElement === to && to.value === was && step(unit, 1), { once: true });
}

function keyOnRadio(event, unit, key) {
  const name = event.target.name.slice(0, 1);
  if (choose(unit, name, key)) return true;
  const moves = { arrowdown: 1, arrowup: -1, enter: 1 };
  if (key in moves) return step(unit, moves[key]) ?? true;
  if (key === "arrowleft" || key === "arrowright") {
    const radios = radiosOf(unit, name).filter((radio) => radio.offsetParent !== null);
    radios[radios.indexOf(event.target) + (key === "arrowright" ? 1 : -1)]?.focus();
    return true;
  }
  return false;
}

function onKey(event) {
  const unit = event.target.closest ? unitOf(event.target) : null;
  if (!unit || event.isComposing || event.keyCode === 229 || event.altKey || event.metaKey || event.ctrlKey) return;
  const key = event.key.normalize("NFKC").toLowerCase();
  const typing = event.target.matches("input:not([type=radio])");
  let done = false;
  if (event.target.type === "radio") done = keyOnRadio(event, unit, key);
  else if (typing && !event.target.value && unit.dataset.control === "date" && (key === "t" || key === "v")) done = keyOnDate(unit, key);
  else if (typing && (key === "enter" || key === "arrowdown")) done = step(unit, 1) ?? true;
  else if (typing && key === "arrowup") done = step(unit, -1) ?? true;
  if (done) event.preventDefault();
}

function onChange(event) {
  touched = true;
  why(event.target.closest(".item"));
  if (settling) neither(unitOf(event.target) ?? form);
}

if (form) {
  form.querySelectorAll(".item").forEach(why);
  if (settling) units().forEach(neither);
  form.addEventListener("keydown", onKey);
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("change", onChange);
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    if (button) fillDate(button, button.closest(".item"));
  });
  form.addEventListener("submit", (event) => {
    if (sending) event.preventDefault(); // a second press of the button sends nothing
    sending = true;
  });
  addEventListener("pageshow", () => (sending = false));
  addEventListener("beforeunload", (event) => touched && !sending && event.preventDefault());
  if (!location.hash && !document.getElementById("problems") && document.activeElement === document.body && units().length) focusUnit(units()[0]);
}
