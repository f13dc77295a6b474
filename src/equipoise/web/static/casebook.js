/* Arrow keys in the casebook matrix: one cell is in the tab order, the arrows move between cells, Enter opens (a link). */

const rows = [...document.querySelectorAll("#matrix tbody tr")].map((row) => [...row.querySelectorAll("td")].map((cell) => cell.querySelector("a")));
const every = rows.flat().filter(Boolean);

function enter(cell) {
  every.forEach((one) => (one.tabIndex = one === cell ? 0 : -1));
  cell.focus();
}

/** The next cell in a direction, over places where nothing is planned. */
function onward(row, column, down, right) {
  for (let r = row + down, c = column + right; rows[r] && c >= 0 && c < rows[r].length; r += down, c += right) {
    if (rows[r][c]) return rows[r][c];
  }
  return null;
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

every.forEach((cell, at) => (cell.tabIndex = at ? -1 : 0));
document.getElementById("matrix").addEventListener("keydown", (event) => {
  const row = rows.findIndex((cells) => cells.includes(event.target));
  if (row < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
  const column = rows[row].indexOf(event.target);
  let next = null;
  if (event.key in STEPS) next = onward(row, column, ...STEPS[event.key]);
  else if (event.key === "Home") next = rows[row].find(Boolean);
  else if (event.key === "End") next = rows[row].findLast(Boolean);
  else return;
  event.preventDefault();
  if (next) enter(next);
});
