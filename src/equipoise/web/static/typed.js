/* What is understood of a date, a time or a number while it is typed: what the server reads into the same text.

   The rule that must stay true: this only shows; what is stored is what the server understood (words/dates,
   capture/parsing). tests/vectors/typed.json holds both to the same answers. */

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const UNKNOWN = ["UN", "UK", "UNK", "ND", "??", "--", "NK"];
const DAYS_AGO = new Map([["T", 0], ["TODAY", 0], ["今天", 0], ["今日", 0], ["YESTERDAY", 1], ["昨天", 1], ["昨日", 1]]);

export const plain = (text) => text.normalize("NFKC").replace(/[−﹣]/g, "-").trim();

/** ISO, cut where knowledge ends, or null. six: day_first or year_first; today: ISO; past: the date has come by then. */
export function typedDate(text, six, today, past = false) {
  const given = text.normalize("NFKC").trim().toUpperCase();
  if (DAYS_AGO.has(given)) return before(today, DAYS_AGO.get(given));
  const cleaned = given.replace(/[年月]/g, "-").replaceAll("日", "").replace(/-+$/, "");
  if (/^[-/.]/.test(cleaned)) return null;
  const parts = cleaned.split(/[-/.\s]+/).filter(Boolean);
  return parts.length === 1 ? ofDigits(parts[0], six, past ? today : "9") : ofParts(parts);
}

function before(today, days) {
  const [year, month, day] = today.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day - days)).toISOString().slice(0, 10);
}

function ofDigits(text, six, until) {
  if (!/^[0-9]+$/.test(text)) return null;
  if (text.length === 8) return iso(text.slice(0, 4), text.slice(4, 6), text.slice(6));
  if (text.length === 4) return iso(text, null, null);
  if (text.length !== 6) return null;
  const [year, day] = six === "day_first" ? [text.slice(4), text.slice(0, 2)] : [text.slice(0, 2), text.slice(4)];
  const ahead = `20${year}-${text.slice(2, 4)}-${day}` > until;
  return iso(`${ahead ? 19 : 20}${year}`, text.slice(2, 4), day);
}

function ofParts(parts) {
  if (parts.length < 2 || parts.length > 3) return null;
  const named = (part) => MONTHS.includes(part) || UNKNOWN.includes(part);
  let [year, month, day] = [parts[0], parts[1], parts[2] ?? "UN"];
  if (!/^[0-9]{4}$/.test(year)) {
    [year, month, day] = [parts.at(-1), parts.at(-2), parts.length === 3 ? parts[0] : "UN"];
    if (!/^[0-9]{4}$/.test(year) || !named(month)) return null;
  }
  const two = (part) => (UNKNOWN.includes(part) ? null : /^[0-9]{1,2}$/.test(part) ? part : "?");
  return iso(year, MONTHS.includes(month) ? String(MONTHS.indexOf(month) + 1) : two(month), two(day));
}

function iso(year, month, day) {
  const [y, m, d] = [year, month, day].map((part) => (part === null ? null : Number(part)));
  if (!(y >= 1) || Number.isNaN(m) || Number.isNaN(d) || (d !== null && m === null)) return null;
  if (m !== null && (m < 1 || m > 12)) return null;
  if (d !== null && (d < 1 || d > new Date(Date.UTC(2000 + (y % 400), m, 0)).getUTCDate())) return null;
  return [String(y).padStart(4, "0"), m, d].filter((part) => part !== null).map((part) => String(part).padStart(2, "0")).join("-");
}

/** HH:MM, or null. */
export function typedTime(text) {
  const found = /^([01]?[0-9]|2[0-3])(?::|时|點|点)?([0-5][0-9])分?$/.exec(plain(text));
  return found && `${found[1].padStart(2, "0")}:${found[2]}`;
}

/** "<0.5" of "＜ 0.5", ">500" of "＞500", or null: a laboratory could not count what lies beyond the limit. */
export function typedLimit(text) {
  const marked = /^([<>])\s*([0-9].*)$/.exec(plain(text));
  const number = marked && typedNumber(marked[2]);
  return number && marked[1] + number;
}

/** The number as plain digits, or null. */
export function typedNumber(text) {
  return /^[+-]?[0-9]{1,15}(\.[0-9]{1,12})?$/.test(plain(text)) ? plain(text).replace(/^\+/, "") : null;
}
