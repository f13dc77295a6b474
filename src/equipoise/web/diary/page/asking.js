/* One question on the screen, and what its answers mean.

   Rules that must stay true: a caregiver is never asked what only the participant can feel; a blank is never guessed: it
   is an answer, a reason why there is none, or not yet; no answer needs a slide, a swipe or a fast hand. */

import { h, of, picture, say, settings } from "./drawing.js";

const FAR = 5; // steps that the second pair of keys takes at once
const YES_NO = [{ id: "Y", key: "phone.yes", picture: "yes" }, { id: "N", key: "phone.no", picture: "no" }];
const word = (option) => (option.key ? say(option.key) : of(option.label));
export const optionsOf = (item) => (item.kind === "yesno" && !(item.options && item.options.length) ? YES_NO : item.options);

/* The items that a person is asked, in order, given what they answered so far. */
export function asked(plan, form, reporter, answers) {
  const sections = form.sections.map((name) => plan.sections.find((one) => one.id === name)).filter(Boolean);
  const found = [];
  for (const section of sections) {
    for (const item of section.items) {
      if (reporter === "CAREGIVER" && item.proxy === false) continue;
      if (item.asked_if) {
        const before = answers[item.asked_if.item];
        const given = before && before.value !== undefined ? before.value.split(" ") : [];
        if (!given.some((one) => item.asked_if.one_of.includes(one))) continue;
      }
      found.push({ ...item, section });
    }
  }
  return found;
}

/* The pages of an entry: one item each, or the items of a section together. */
export function pagesOf(items) {
  if (settings.pages === "one" || settings.yesno) return items.map((item) => [item]);
  const pages = [];
  for (const item of items) {
    const last = pages[pages.length - 1];
    if (last && last[0].section.id === item.section.id) last.push(item);
    else pages.push([item]);
  }
  return pages;
}

export function flagged(item, answer) {
  if (!answer || answer.value === undefined) return false;
  if (typeof item.flag_from === "number" && /^\d+$/.test(answer.value)) return Number(answer.value) >= item.flag_from;
  return (item.flag || []).some((one) => answer.value.split(" ").includes(one));
}

/* The question in the words for who answers. `period`: the words for the time that it asks about. */
export function question(item, period, reporter) {
  const words = reporter === "CAREGIVER" && item.observed ? item.observed : item.question;
  return of(words).replace("{period}", period);
}

/* What was answered, in words. */
export function inWords(item, answer) {
  if (!answer) return say("phone.not-answered");
  if (answer.missing) return say(answer.missing === "PREFER_NOT" ? "phone.prefer-not" : "phone.cannot-tell");
  if (item.kind === "nrs" || item.kind === "number") return `${answer.value}${item.unit ? ` ${of(item.unit)}` : ""}`;
  const options = optionsOf(item);
  return answer.value.split(" ").map((one) => { const found = options.find((option) => option.id === one); return found ? word(found) : one; }).join(settings.language === "zh" ? "、" : ", ");
}

/* The sentences that are read aloud for an item. */
export function sentences(item, period, reporter) {
  const answers = item.kind === "nrs" ? [item.low_label && `${item.low}: ${of(item.low_label)}`, item.high_label && `${item.high}: ${of(item.high_label)}`] : (optionsOf(item) || []).map(word);
  return [question(item, period, reporter), of(item.helper), ...answers];
}

/* The answers to an item, to be tapped. `give` takes the new answer, { value } or null where the last was taken back. */
export function answersTo(item, answer, give) {
  const value = answer && answer.value !== undefined ? answer.value : null;
  const label = { role: "group", "aria-labelledby": `q-${item.id}` };
  if (item.kind === "nrs") return h("div", { class: "scale", ...label }, ends(item), rising(item.low, item.high).map((n) => choice(String(n), value === String(n), () => give({ value: String(n) }))));
  if (item.kind === "number" && item.high - item.low <= 20 * item.step) return h("div", { class: "scale", ...label }, unitOf(item), rising(item.low, item.high, item.step).map((n) => choice(String(n), value === String(n), () => give({ value: String(n) }))));
  if (item.kind === "number") return steps(item, value, give, label);
  if (settings.yesno && item.kind !== "yesno") return byYesNo(item, value, give, label);
  if (item.kind === "many") return h("div", { class: "answers", ...label }, item.options.map((option) => choice(word(option), has(value, option.id), () => give(toggled(item, value, option.id)), option.picture)));
  return h("div", { class: `answers ${item.kind === "yesno" ? "side" : ""}`, ...label }, optionsOf(item).map((option) => choice(word(option), value === option.id, () => give({ value: option.id }), option.picture)));
}

const rising = (low, high, step = 1) => Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, at) => low + at * step);
const unitOf = (item) => (item.unit ? h("p", { class: "ends" }, of(item.unit)) : null);
const has = (value, id) => value !== null && value.split(" ").includes(id);
const ends = (item) => (item.low_label || item.high_label ? h("p", { class: "ends" }, h("span", null, `${item.low}: ${of(item.low_label)}`), h("span", null, `${item.high}: ${of(item.high_label)}`)) : null);

function choice(label, chosen, act, drawn) {
  return h("button", { type: "button", class: "choice", "aria-pressed": chosen ? "true" : "false", onclick: act }, picture(drawn), h("span", { class: "label" }, label), h("span", { class: "mark", "aria-hidden": "true" }, chosen ? "✓" : ""));
}

function toggled(item, value, id) {
  let held = value ? value.split(" ") : [];
  if (held.includes(id)) held = held.filter((one) => one !== id);
  else held = id === item.none ? [id] : [...held.filter((one) => one !== item.none), id];
  const order = item.options.map((option) => option.id).filter((one) => held.includes(one));
  return order.length ? { value: order.join(" ") } : null;
}

/* A number by steps: less, the number, more. The first tap begins at the lowest. */
function steps(item, value, give, label) {
  const { step, low, high } = item;
  const at = value === null ? null : Number(value);
  const to = (next) => give({ value: String(Math.min(high, Math.max(low, next))) });
  const shown = h("output", { class: "number", "aria-live": "polite" }, at === null ? "–" : String(at), item.unit ? h("small", null, of(item.unit)) : null);
  const less = h("button", { type: "button", class: "choice step", "aria-label": say("phone.less"), onclick: () => to(at === null ? low : at - step) }, "−");
  const more = h("button", { type: "button", class: "choice step", "aria-label": say("phone.more"), onclick: () => to(at === null ? low : at + step) }, "+");
  const far = [-FAR, FAR].map((n) => h("button", { type: "button", class: "choice step far", onclick: () => to((at === null ? low : at) + n * step) }, `${n > 0 ? "+" : "−"}${Math.abs(n * step)}`));
  return h("div", { class: "by-steps", ...label }, h("div", { class: "row" }, less, shown, more), h("div", { class: "row" }, far));
}

/* For who reads little: each option is asked by itself, yes or no; of `choice` until a yes, of `many` all. */
function byYesNo(item, value, give, label) {
  const place = h("div", { class: "by-yesno", ...label });
  const offered = item.options.filter((option) => item.kind !== "many" || option.id !== item.none);
  let chosen = value ? value.split(" ") : [];
  let at = value === null ? 0 : offered.length;
  const line = (drawn, text) => h("p", { class: "offered", tabindex: "-1" }, picture(drawn, "large"), h("span", null, text));
  const draw = () => {
    const option = offered[at];
    const first = item.options.find((one) => chosen.includes(one.id));
    const inner = option
      ? [line(option.picture, word(option)), ...YES_NO.map((one) => choice(word(one), false, () => reply(option, one.id === "Y"), one.picture))]
      : [line(first && first.picture, chosen.length ? inWords(item, { value: chosen.join(" ") }) : say("phone.none-of-these")), choice(say("phone.ask-again"), false, again)];
    place.replaceChildren(...inner);
  };
  const seen = () => { draw(); place.querySelector(".offered").focus(); };
  const again = () => { chosen = []; at = 0; seen(); };
  const reply = (option, yes) => {
    if (yes) chosen.push(option.id);
    at = yes && item.kind === "choice" ? offered.length : at + 1;
    if (at === offered.length && !chosen.length && item.none) chosen = [item.none];
    if (at === offered.length && chosen.length) give({ value: chosen.join(" ") });
    else seen();
  };
  draw();
  return place;
}
