/* The seconds that an arm is still shown, and its end. Without this script the browser's own reload ends it. */

const left = document.getElementById("seconds");
const until = performance.now() + Number(left.dataset.seconds) * 1000;

function hide() {
  document.getElementById("arm").textContent = "—";
  location.replace(left.dataset.after);
}

const ticking = setInterval(() => {
  const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
  left.textContent = String(seconds);
  if (seconds === 0) {
    clearInterval(ticking);
    hide();
  }
}, 250);

// A page that comes back from the browser's memory shows nothing.
addEventListener("pagehide", () => (document.getElementById("arm").textContent = "—"));
