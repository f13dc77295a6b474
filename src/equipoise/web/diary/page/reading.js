/* Reading aloud: a recording of the item in the language where there is one, else the phone's own voice.

   The rule that must stay true: nothing is ever read that was not asked for. Recordings lie beside the study as
   <language>/<item>.mp3; the shell names those that are there, each with the digest by which a better one replaces it. */

import { of, say, settings, tell } from "./drawing.js";

const KEPT = "diary-recordings"; // as sw.js has it
let recordings = new Map();
let playing = null;

const addressOf = (name) => `/diary/recordings/${name}.mp3?${recordings.get(name)}`;
export const begin = (names) => { recordings = new Map(Object.entries(names)); };
export const possible = () => settings.aloud && (recordings.size > 0 || "speechSynthesis" in window);

export function stop() {
  if (playing) { playing.pause(); playing = null; }
  if ("speechSynthesis" in window) speechSynthesis.cancel();
}

/* Keep the recordings of the language on the phone, for a day without a line; not where the phone is set to save data. */
export async function keepAll() {
  if (!("caches" in window) || (navigator.connection && navigator.connection.saveData)) return;
  const cache = await caches.open(KEPT);
  const every = [...recordings.keys()].map(addressOf);
  for (const held of await cache.keys()) if (!every.some((one) => held.url.endsWith(one))) await cache.delete(held);
  for (const one of every) if (one.startsWith(`/diary/recordings/${settings.language}/`) && !(await cache.match(one))) await cache.add(one);
}

/* Read an item: its recording, or the sentences one after another. */
export function read(id, sentences) {
  stop();
  const name = `${settings.language}/${id}`;
  if (recordings.has(name)) {
    playing = new Audio(addressOf(name));
    playing.play().catch(() => speak(sentences));
  } else speak(sentences);
}

function speak(sentences) {
  if (!("speechSynthesis" in window)) { tell(say("phone.no-voice")); return; }
  const wanted = settings.language === "zh" ? "zh" : "en";
  const voices = speechSynthesis.getVoices();
  const voice = voices.find((one) => one.lang.replace("_", "-").toLowerCase().startsWith(wanted === "zh" ? "zh-cn" : "en")) || voices.find((one) => one.lang.toLowerCase().startsWith(wanted));
  if (voices.length && !voice) { tell(say("phone.no-voice")); document.getElementById("told").classList.add("seen"); return; }
  for (const sentence of sentences.filter(Boolean)) {
    const said = new SpeechSynthesisUtterance(of(sentence) || sentence);
    said.lang = wanted === "zh" ? "zh-CN" : "en-GB";
    if (voice) said.voice = voice;
    said.rate = 0.85;
    speechSynthesis.speak(said);
  }
}
