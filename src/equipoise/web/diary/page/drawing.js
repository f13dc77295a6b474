/* Building what stands on the screen, in the language and with the settings of the person.

   Rules that must stay true: every sentence comes from the catalogue or the study, in both languages; text is only ever
   set as text; a screen's heading takes the focus, so that it is read first. */

const SVG = "http://www.w3.org/2000/svg";
export const settings = { language: "zh", size: 20, hand: "right", look: "auto", contrast: false, pages: "one", yesno: false, aloud: true };
export const SIZES = [18, 20, 23, 26, 30]; // CSS pixels of plain text
let catalogue = {};

export const begin = (words) => { catalogue = words; };
export const of = (text) => (text ? (settings.language === "zh" && text.zh) || text.en : "");
export function say(key, values) {
  const found = of(catalogue[key] || { en: key });
  return values ? found.replace(/\{(\w+)\}/g, (slot, name) => (name in values ? values[name] : slot)) : found;
}

/* An element: h("button", { class: "big", onclick: f }, "text", other). What is null is left out. */
export function h(tag, attributes, ...inner) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  for (const one of inner.flat(Infinity)) if (one !== null && one !== undefined && one !== false) made.append(one);
  return made;
}

export function picture(name, extra) {
  if (!name) return null;
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("class", `picture ${extra || ""}`);
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/diary/pictures.svg#${name}`);
  made.append(use);
  return made;
}

export const button = (label, act, { kind = "", drawn = null, id = null, lang = null } = {}) => h("button", { type: "button", class: `key ${kind}`, onclick: act, id, lang }, picture(drawn), h("span", null, label));

const REACHED = "h1, button, a, input, textarea";
let scene = 0;
export const sceneNow = () => scene; // changes with each screen that a person came to

/* One screen: a heading, what is on it, and the keys at the bottom, the first of them under the thumb. `quiet`: the same
   screen again with newer contents; the focus stays where it is. */
export function screen(name, title, inner, keys = [], { drawn = null, top = null, quiet = false } = {}) {
  const head = h("h1", { tabindex: "-1", id: "title" }, picture(drawn, "large"), h("span", null, title));
  const main = h("main", { id: "main", class: `screen ${name}` }, top, head, h("div", { class: "inner" }, inner));
  const bar = keys.length ? h("nav", { class: "keys", "aria-label": say("phone.keys") }, keys) : null;
  const place = document.getElementById("app");
  const held = [...place.querySelectorAll(REACHED)].indexOf(document.activeElement);
  place.replaceChildren(...[main, bar].filter(Boolean));
  if (quiet && held >= 0) (place.querySelectorAll(REACHED)[held] || head).focus({ preventScroll: true });
  document.title = `${title} · ${say("phone.title")}`;
  if (!quiet) {
    scene += 1;
    tell("");
    document.getElementById("told").classList.remove("seen");
    window.scrollTo(0, 0);
    head.focus({ preventScroll: true });
  }
}

/* Said to who cannot see it: the live line at the end of the page. */
export const tell = (text) => { document.getElementById("told").textContent = text; };

export function dress() {
  const root = document.documentElement;
  root.lang = settings.language === "zh" ? "zh-Hans" : "en";
  root.style.setProperty("--text", `${settings.size}px`);
  root.dataset.hand = settings.hand;
  root.dataset.look = settings.look;
  root.dataset.contrast = settings.contrast ? "high" : "plain";
}
