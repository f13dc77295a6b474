// The infusion page with a scanner: a scanner types a code and Enter. Enter goes on to the next field that is empty and
// sends the form only from the last. Without this script the browser's own "required" does the same, less smoothly.

for (const form of document.querySelectorAll("[data-scan]")) {
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
    const empty = [...form.querySelectorAll("input[required], select[required]")].find((field) => !field.value.trim());
    if (!empty) return;
    event.preventDefault();
    empty.focus();
  });
}

// Minutes that are left count down with the clock of the page; a bag that becomes too late asks the desk again.
const begun = Date.now();
for (const pill of document.querySelectorAll("[data-left]")) {
  const left = Number(pill.dataset.left);
  const words = pill.lastChild;
  const text = words.textContent;
  setInterval(() => {
    const now = left - Math.floor((Date.now() - begun) / 60000);
    if (left < 0) return;
    if (now < 0) location.reload();
    else words.textContent = text.replace(String(left), String(now));
  }, 10000);
}

// A sound, where the browser allows one without a touch; the screen says everything without it.
if (document.querySelector("[data-stop]") && "AudioContext" in window) {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  tone.frequency.value = 880;
  tone.connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.6);
}
