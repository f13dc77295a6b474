/* The panel beside a form: the history of an item or of the whole form, and why a check asked.

   The rule that must stay true: a link opens its page where this script is not there, or the control key is held; what
   is typed on the form is never touched. */

const byId = (id) => document.getElementById(id);
const sheet = byId("sheet");
let openedFrom = null;

async function open(link) {
  openedFrom = document.activeElement;
  const address = new URL(link.href);
  address.searchParams.set("part", "1");
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(String(response.status));
    byId("history-body").innerHTML = await response.text();
    byId("history-title").textContent = link.dataset.title ?? sheet.dataset.historyTitle;
    byId("history").hidden = false;
    byId("history-title").focus();
  } catch {
    sheet.dispatchEvent(new CustomEvent("unreachable"));
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-tool=history], #history-all");
  if (!link || event.ctrlKey) return;
  event.preventDefault();
  open(link);
});
byId("history-close").addEventListener("click", () => {
  byId("history").hidden = true;
  openedFrom?.focus();
});
