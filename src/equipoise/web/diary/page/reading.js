/* Reading aloud: a recording of the item in the language where there is one, else the phone's own voice.

   The rule that must stay true: nothing is ever read that was not asked for. Recordings lie beside the study as
   <language>/<item>.mp3; the shell names those that are there. */

import { of, say, settings, tell } from "./drawing.js";

let recordings = new Set();
let playing = null;

export const begin = (names) => { recordings = new Set(names); };
export const possible = () => settings.aloud && (recordings.size > 0 || "speechSynthesis" in window);

export function stop() {
  if (playing) { playing.pause(); playing = null; }
  if ("speechSynthesis" in window) speechSynthesis.cancel();
}

/* Read an item: its recording, or the sentences one after another. */
export function read(id, sentences) {
  stop();
  const name = `${settings.language}/${id}`;
  if (recordings.has(name)) {
    playing = new Audio(`/diary/recordings/${name}.mp3`);
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
