/* Clocks of the bench, the way of a scan from field to field, and a sound at a stop for who wants one.
   Everything works without this script; it only counts down and saves a press of a key. */

const SOUND = "equipoise-bench-sound";

function counted(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function tick() {
  for (const clock of document.querySelectorAll("[data-until], [data-ready]")) {
    const left = (new Date(clock.dataset.until || clock.dataset.ready) - Date.now()) / 1000;
    if (clock.dataset.ready) clock.textContent = left > 0 ? `${clock.dataset.wait} ${counted(left)}` : "";
    else clock.textContent = left > 0 ? counted(left) : "0:00";
  }
}
tick();
setInterval(tick, 1000);

// A scanner ends with Enter: it goes on to the next empty field, and sends the form from the last one.
for (const field of document.querySelectorAll("form .scan")) {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const next = [...field.form.querySelectorAll("input:not([type=hidden]), select")].find((one) => one !== field && !one.value);
    if (next && field.value) {
      event.preventDefault();
      next.focus();
    }
  });
}

function beep(at, context) {
  const tone = context.createOscillator();
  tone.type = "square";
  tone.frequency.value = 880;
  tone.connect(context.destination);
  tone.start(context.currentTime + at);
  tone.stop(context.currentTime + at + 0.2);
}

const wished = () => localStorage.getItem(SOUND) === "on";
if (document.querySelector("[data-stop]") && wished() && window.AudioContext) {
  const context = new AudioContext();
  for (const at of [0, 0.35, 0.7]) beep(at, context);
}
const button = document.getElementById("sound");
if (button) {
  const say = () => {
    button.textContent = wished() ? button.dataset.on : button.dataset.off;
    button.setAttribute("aria-pressed", String(wished()));
  };
  button.addEventListener("click", () => {
    localStorage.setItem(SOUND, wished() ? "off" : "on");
    say();
  });
  button.hidden = false;
  say();
}
