/* The expression language in the browser: a tree (protocol/expressions/tree_json) and a scope give a value.

   The rules that must stay true: evaluating is total and gives what the Python interpreter gives, value and reasons;
   decimals are exact (34 digits, half to even, intervals rounded outwards); nothing here is made from text of a study
   but the tree that was handed over; names are looked up in maps, so none of them means anything to the browser.
   Values as in protocol/expressions/encoding. docs/expressions.md says what each thing means. */

/* --- decimals: {c, e} is c * 10^e, c a BigInt; the ends of intervals may be null, which is open ------------------ */

const DIGITS = 34;
const EMAX = 6144;
const ETINY = 1 - EMAX - (DIGITS - 1);
const ZERO = { c: 0n, e: 0 };
const LOW = { infinite: -1 };
const HIGH = { infinite: 1 };

class Limit extends Error {}

const ten = (n) => 10n ** BigInt(n);
const size = (c) => (c < 0n ? -c : c).toString().length;
const abs = (c) => (c < 0n ? -c : c);

export function decimal(text) {
  const found = /^([+-]?)([0-9]{1,7000})(?:\.([0-9]{1,7000}))?$/.exec(text);
  if (!found) return null;
  const c = BigInt(found[2] + (found[3] ?? ""));
  return { c: found[1] === "-" ? -c : c, e: -(found[3] ?? "").length };
}

export function decimalText({ c, e }) {
  if (e >= 0) return (c * ten(e)).toString();
  const digits = abs(c).toString().padStart(1 - e, "0");
  const text = `${digits.slice(0, e)}.${digits.slice(e)}`.replace(/\.?0+$/, "");
  return c < 0n ? `-${text}` : text;
}

function compare(a, b) {
  if (a.infinite || b.infinite) return Math.sign((a.infinite ?? 0) - (b.infinite ?? 0));
  const e = Math.min(a.e, b.e);
  const left = a.c * ten(a.e - e);
  const right = b.c * ten(b.e - e);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** To 34 digits. mode: even (nearest, halves to even), down, up. `more`: something smaller follows the last digit. */
function fix(c, e, mode, more = false) {
  if (c === 0n && !more) return ZERO;
  const digits = size(c);
  if (e + digits - 1 > EMAX) throw new Limit();
  let drop = Math.max(digits - DIGITS, ETINY - e, 0);
  if (drop === 0) return { c, e };
  const unit = ten(drop);
  let kept = abs(c) / unit;
  const rest = abs(c) % unit;
  if (rest !== 0n || more) {
    const half = rest * 2n - unit;
    const up = mode === "even" ? half > 0n || (half === 0n && (more || kept % 2n === 1n)) : (mode === "up") === c > 0n;
    if (up) kept += 1n;
  }
  if (size(kept) > DIGITS) {
    kept /= 10n;
    drop += 1;
  }
  if (kept !== 0n && e + drop + size(kept) - 1 > EMAX) throw new Limit();
  return { c: c < 0n ? -kept : kept, e: e + drop };
}

function plus(a, b, mode) {
  if (a.infinite || b.infinite) return a.infinite ? a : b;
  const e = Math.min(a.e, b.e);
  return fix(a.c * ten(a.e - e) + b.c * ten(b.e - e), e, mode);
}

const sign = (a) => a.infinite ?? (a.c < 0n ? -1 : a.c > 0n ? 1 : 0);
const endless = (by) => (by < 0 ? LOW : HIGH);

function times(a, b, mode) {
  if (sign(a) === 0 || sign(b) === 0) return ZERO;
  if (a.infinite || b.infinite) return endless(sign(a) * sign(b));
  return fix(a.c * b.c, a.e + b.e, mode);
}

function over(a, b, mode) {
  if (b.infinite) return ZERO;
  if (a.infinite) return endless(sign(a) * sign(b));
  if (a.c === 0n) return ZERO;
  const shift = Math.max(0, DIGITS + 2 + size(b.c) - size(a.c));
  const top = a.c * ten(shift);
  return fix(top / b.c, a.e - b.e - shift, mode, top % b.c !== 0n);
}

/** To so many places, halves away from zero. */
function places(a, digits) {
  if (a.infinite) return a;
  const drop = -digits - a.e;
  let c = drop <= 0 ? a.c * ten(-drop) : abs(a.c) / ten(drop);
  if (drop > 0) {
    if ((abs(a.c) % ten(drop)) * 2n >= ten(drop)) c += 1n;
    if (a.c < 0n) c = -c;
  }
  if (c !== 0n && size(c) > DIGITS) throw new Limit();
  return { c, e: -digits };
}

/* --- intervals ---------------------------------------------------------------------------------------------- */

const ANYTHING = { low: null, high: null };
const point = (value) => ({ low: value, high: value });
const low = (a) => a.low ?? LOW;
const high = (a) => a.high ?? HIGH;
const interval = (from, to) => ({ low: from.infinite ? null : from, high: to.infinite ? null : to });
const least = (values) => values.reduce((a, b) => (compare(b, a) < 0 ? b : a));
const most = (values) => values.reduce((a, b) => (compare(b, a) > 0 ? b : a));
const sharp = (a) => a.low !== null && a.high !== null && compare(a.low, a.high) === 0;
const isAnything = (a) => a.low === null && a.high === null;

function turned(a) {
  const minus = (end) => (end === null ? null : { c: -end.c, e: end.e });
  return { low: minus(a.high), high: minus(a.low) };
}

function combine(operator, a, b) {
  if (operator === "-") return combine("+", a, turned(b));
  if (operator === "/" && compare(low(b), ZERO) <= 0 && compare(high(b), ZERO) >= 0) return null;
  const step = { "+": plus, "*": times, "/": over }[operator];
  if (sharp(a) && sharp(b)) return point(step(a.low, b.low, "even"));
  const ends = [[low(a), low(b)], [low(a), high(b)], [high(a), low(b)], [high(a), high(b)]];
  const corners = operator === "+" ? [ends[0], ends[3]] : ends;
  return interval(least(corners.map((one) => step(...one, "down"))), most(corners.map((one) => step(...one, "up"))));
}

function absolute(a) {
  if (a.low !== null && sign(a.low) >= 0) return a;
  const other = turned(a);
  if (other.low !== null && sign(other.low) >= 0) return other;
  return interval(ZERO, most([high(a), high(other)]));
}

function atLeast(a, b) {
  if (a.low !== null && b.high !== null && compare(a.low, b.high) >= 0) return "T";
  if (a.high !== null && b.low !== null && compare(a.high, b.low) < 0) return "F";
  return "U";
}

/* --- units: code -> [dimension, factor, offset], factor and offset as [numerator, denominator] of digits ------------ */

let units = new Map();

/** The units that numbers may be converted between, as the server writes them (words/units). */
export function useUnits(table) {
  const fraction = ([n, d]) => [BigInt(n), BigInt(d)];
  units = new Map(Object.entries(table).map(([code, [kind, factor, offset]]) => [code, [kind, fraction(factor), fraction(offset)]]));
}

function converted(a, unit, target) {
  if (unit === target) return a;
  const [from, to] = [units.get(unit), units.get(target)];
  if (!from || !to || from[0] !== to[0]) return null;
  const [start, end] = [a.low, a.high].map((one) => one && turn(one, from, to));
  return { low: start, high: end };
}

/** ((value * factor + offset) - offset of the target) / factor of the target, to six places, halves to even. */
function turn({ c, e }, [, [fn, fd], [on, od]], [, [gn, gd], [pn, pd]]) {
  let top = e < 0 ? c : c * ten(e);
  let under = e < 0 ? ten(-e) : 1n;
  [top, under] = [top * fn * od + on * under * fd, under * fd * od];
  [top, under] = [top * pd - pn * under, under * pd];
  [top, under] = [top * gd * 1000000n, under * gn];
  let whole = abs(top) / under;
  const half = (abs(top) % under) * 2n - under;
  if (half > 0n || (half === 0n && whole % 2n === 1n)) whole += 1n;
  if (whole >= ten(DIGITS)) throw new Limit();
  return { c: top < 0n ? -whole : whole, e: -6 };
}

/* --- dates -------------------------------------------------------------------------------------------------- */

const leap = (year) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const monthDays = (year, month) => [31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
const earliest = (date) => [date.year, date.month ?? 1, date.day ?? 1];
const latest = (date) => [date.year, date.month ?? 12, date.day ?? monthDays(date.year, date.month ?? 12)];

/** ISO 8601, possibly cut; null where it is none. */
export function isoDate(text) {
  const found = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/.exec(text);
  if (!found) return null;
  const [year, month, day] = found.slice(1).map((part) => (part === undefined ? null : Number(part)));
  const fits = year > 0 && (month === null || (month > 0 && month < 13)) && (day === null || (day > 0 && day <= monthDays(year, month)));
  return fits ? { year, month, day } : null;
}

export function isoText({ year, month, day }) {
  const two = (part) => `-${String(part).padStart(2, "0")}`;
  return String(year).padStart(4, "0") + (month === null ? "" : two(month)) + (day === null ? "" : two(day));
}

/** Days since 31 December of the year 0, as the calendar of today reaches back. */
function ordinal([year, month, day]) {
  const y = year - 1;
  let days = y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + day;
  for (let before = 1; before < month; before += 1) days += monthDays(year, before);
  return days;
}

const whole = (number) => ({ c: BigInt(number), e: 0 });
const span = (from, to) => ({ low: whole(from), high: whole(to) });
const daysBetween = (a, b) => span(ordinal(earliest(b)) - ordinal(latest(a)), ordinal(latest(b)) - ordinal(earliest(a)));
const later = (a, b) => a[1] < b[1] || (a[1] === b[1] && a[2] < b[2]);
const years = (birth, on) => on[0] - birth[0] - (later(on, birth) ? 1 : 0);
const completedYears = (birth, on) => span(years(latest(birth), earliest(on)), years(earliest(birth), latest(on)));

/* --- values: {kind, …, reasons}; a reason is "kind about" --------------------------------------------------------- */

const TYPE = ["type"];
const unknown = (reasons) => ({ kind: "unknown", reasons });
const truth = (letter, reasons = []) => ({ kind: "truth", truth: letter, reasons });
const number = (of, unit, reasons) => ({ kind: "number", interval: of, unit, reasons: sharp(of) ? [] : reasons });
const open = (unit, reasons) => ({ kind: "number", interval: ANYTHING, unit, reasons });
const dated = (date, reasons) => ({ kind: "date", date, reasons });
const coded = (code, reasons) => ({ kind: "code", code, reasons });

const points = (text) => Array.from(text, (letter) => letter.codePointAt(0));

function byKindThenName(a, b) {
  const [left, right] = [a, b].map((reason) => reason.split(/ (.*)/s).slice(0, 2).map((part) => points(part ?? "")));
  for (const part of [0, 1]) {
    const [one, two] = [left[part] ?? [], right[part] ?? []];
    for (let at = 0; at < Math.max(one.length, two.length); at += 1) {
      if (one[at] !== two[at]) return (one[at] ?? -1) - (two[at] ?? -1);
    }
  }
  return 0;
}

const merge = (...groups) => [...new Set(groups.flat())].sort(byKindThenName);
const about = (reasons, name) => reasons.map((reason) => (reason.includes(" ") || name === "" ? reason : `${reason} ${name}`));

function isKnown(value) {
  if (value.kind === "truth") return value.truth !== "U";
  if (value.kind === "number") return sharp(value.interval);
  if (value.kind === "date") return value.date !== null && value.date.day !== null;
  if (value.kind === "code") return value.code !== null;
  return value.kind === "instrument" && isKnown(value.total);
}

function reasonsOf(value) {
  if (isKnown(value)) return [];
  if (value.kind === "instrument") return reasonsOf(value.total);
  if (value.reasons.length) return value.reasons;
  if (value.kind === "date" && value.date !== null) return ["partial-date"];
  return [value.kind === "number" && !isAnything(value.interval) ? "range" : "missing"];
}

const wanted = (value) => (value.kind === "unknown" ? reasonsOf(value) : TYPE);
const asTruth = (value) => (value.kind === "truth" ? value : truth("U", wanted(value)));
const asNumber = (value) => (value.kind === "number" ? value : open(null, wanted(value)));
const asDate = (value) => (value.kind === "date" ? value : dated(null, wanted(value)));
const allReasons = (values) => merge(...values.map(reasonsOf));
const answer = (letter, reasons) => (letter === "U" ? truth("U", reasons.length ? reasons : ["range"]) : truth(letter));
const not = { T: "F", F: "T", U: "U" };
const allOf = (letters) => (letters.includes("F") ? "F" : letters.includes("U") ? "U" : "T");
const anyOf = (letters) => (letters.includes("T") ? "T" : letters.includes("U") ? "U" : "F");

function logic(of) {
  return (values) => {
    const given = values.map(asTruth);
    return answer(of(given.map((value) => value.truth)), allReasons(given));
  };
}

/* --- comparing ---------------------------------------------------------------------------------------------- */

function ordered(operator, a, b) {
  const equal = () => allOf([atLeast(a, b), atLeast(b, a)]);
  return { "==": equal, "!=": () => not[equal()], ">=": () => atLeast(a, b), "<=": () => atLeast(b, a), ">": () => not[atLeast(b, a)], "<": () => not[atLeast(a, b)] }[operator]();
}

function inOneUnit(a, b) {
  if (a.unit === b.unit || isAnything(a.interval) || isAnything(b.interval)) return [a.interval, b.interval];
  if (a.unit === null || b.unit === null) return null;
  const there = converted(b.interval, b.unit, a.unit);
  return there && [a.interval, there];
}

const days = (value) => (value.date === null ? ANYTHING : span(ordinal(earliest(value.date)), ordinal(latest(value.date))));

function compared(operator, a, b) {
  const reasons = merge(reasonsOf(a), reasonsOf(b));
  if (a.kind === "unknown" || b.kind === "unknown") return truth("U", reasons);
  if (a.kind !== b.kind) return truth("U", TYPE);
  if (a.kind === "number") {
    const both = inOneUnit(a, b);
    return both ? answer(ordered(operator, ...both), reasons) : truth("U", ["unit"]);
  }
  if (a.kind === "date") return answer(ordered(operator, days(a), days(b)), reasons);
  if ((a.kind !== "code" && a.kind !== "truth") || (operator !== "==" && operator !== "!=")) return truth("U", TYPE);
  const [one, two] = a.kind === "code" ? [a.code, b.code] : [a.truth, b.truth].map((letter) => (letter === "U" ? null : letter));
  const same = one === null || two === null ? "U" : one === two ? "T" : "F";
  return answer(operator === "==" ? same : not[same], reasons);
}

/* --- functions ---------------------------------------------------------------------------------------------- */

function sameUnit(values) {
  const first = values.find((value) => !isAnything(value.interval)) ?? values[0];
  const found = [];
  for (const value of values) {
    if (isAnything(value.interval) || value.unit === first.unit) found.push(value.interval);
    else if (value.unit === null || first.unit === null) return null;
    else {
      const there = converted(value.interval, value.unit, first.unit);
      if (there === null) return null;
      found.push(there);
    }
  }
  return [found, first.unit];
}

function numbers(of) {
  return (values) => {
    const given = values.map(asNumber);
    const aligned = sameUnit(given);
    return aligned ? number(of(aligned[0]), aligned[1], allReasons(given)) : unknown(["unit"]);
  };
}

function ofDates(measure) {
  return (values) => {
    const [first, second] = values.map(asDate);
    const reasons = allReasons([first, second]);
    if (first.date === null || second.date === null) return open(null, reasons);
    return number(measure(first.date, second.date), null, reasons);
  };
}

function saysSomething(value) {
  if (value.kind === "number") return !isAnything(value.interval);
  return value.kind === "date" && value.date !== null;
}

function coalesce(values) {
  const told = values.find(isKnown) ?? values.find(saysSomething);
  if (told) return told;
  const last = values.at(-1);
  const reasons = allReasons(values);
  if (last.kind === "number") return { ...last, reasons };
  if (last.kind === "date") return dated(last.date, reasons);
  if (last.kind === "code") return coded(null, reasons);
  return last.kind === "truth" ? truth("U", reasons) : unknown(reasons);
}

function agreed(a, b) {
  const conflict = ["conflicting"];
  if (a.kind === "unknown") return b;
  if (b.kind === "unknown") return a;
  if (a.kind !== b.kind || a.kind === "instrument") return unknown(TYPE);
  const reasons = allReasons([a, b]);
  if (a.kind === "number") {
    const aligned = sameUnit([a, b]);
    if (!aligned) return unknown(["unit"]);
    const [[one, two], unit] = aligned;
    const met = interval(most([low(one), low(two)]), least([high(one), high(two)]));
    const apart = met.low !== null && met.high !== null && compare(met.low, met.high) > 0;
    return apart ? open(unit, conflict) : number(met, unit, reasons);
  }
  if (a.kind === "truth") {
    if (!isKnown(a) || !isKnown(b)) return isKnown(a) ? a : isKnown(b) ? b : truth("U", reasons);
    return a.truth === b.truth ? a : truth("U", conflict);
  }
  if (a.kind === "code") {
    if (a.code === null || b.code === null) return a.code !== null ? a : b.code !== null ? b : coded(null, reasons);
    return a.code === b.code ? a : coded(null, conflict);
  }
  if (a.date === null || b.date === null) return a.date !== null ? a : b.date !== null ? b : dated(null, reasons);
  const [first, second] = [isoText(a.date), isoText(b.date)];
  if (first.startsWith(second)) return a;
  return second.startsWith(first) ? b : dated(null, conflict);
}

/** The whole number that a bare known number is, else null. */
function bareWhole(value) {
  if (value.kind !== "number" || value.unit !== null || !sharp(value.interval)) return null;
  const { c, e } = value.interval.low;
  if (compare({ c: abs(c), e }, whole(1000000)) > 0) return null;
  if (e >= 0) return Number(c * ten(e));
  return c % ten(-e) === 0n ? Number(c / ten(-e)) : null;
}

function round(values) {
  const given = asNumber(values[0]);
  const digits = values.length === 2 ? bareWhole(values[1]) : 0;
  if (digits === null || digits < 0 || digits > 12) return unknown(TYPE);
  const of = interval(places(low(given.interval), digits), places(high(given.interval), digits));
  return number(of, given.unit, reasonsOf(given));
}

function amount([value, target]) {
  const given = asNumber(value);
  if (isAnything(given.interval)) return open(null, reasonsOf(given));
  if (target.kind !== "code" || target.code === null) return unknown(TYPE);
  const there = given.unit === null ? null : converted(given.interval, given.unit, target.code);
  return there === null ? unknown(["unit"]) : number(there, null, reasonsOf(given));
}

const between = ([subject, from, to]) => logic(allOf)([compared(">=", subject, from), compared("<=", subject, to)]);
const conjunction = logic(allOf);
const disjunction = logic(anyOf);
const total = (given) => given.reduce((a, b) => combine("+", a, b), point(ZERO));
const FUNCTIONS = new Map([
  ["between", [between, 3, 3]],
  ["age_completed", [ofDates(completedYears), 2, 2]],
  ["days", [ofDates(daysBetween), 2, 2]],
  ["any", [disjunction, 1, Infinity]],
  ["all", [conjunction, 1, Infinity]],
  ["known", [([value]) => truth(isKnown(value) ? "T" : "F"), 1, 1]],
  ["count_known", [(values) => number(point(whole(values.filter(isKnown).length)), null, []), 1, Infinity]],
  ["coalesce", [coalesce, 2, Infinity]],
  ["reconcile", [(values) => values.reduce(agreed), 2, Infinity]],
  ["abs", [numbers((given) => absolute(given[0])), 1, 1]],
  ["min", [numbers((given) => interval(least(given.map(low)), least(given.map(high)))), 1, Infinity]],
  ["max", [numbers((given) => interval(most(given.map(low)), most(given.map(high)))), 1, Infinity]],
  ["sum", [numbers(total), 1, Infinity]],
  ["round", [round, 1, 2]],
  ["amount", [amount, 2, 2]],
]);

/* --- the tree ----------------------------------------------------------------------------------------------- */

function arithmetic(operator, left, right) {
  const [a, b] = [asNumber(left), asNumber(right)];
  const reasons = allReasons([a, b]);
  let [one, two, unit] = [a.interval, b.interval, a.unit];
  if (operator === "+" || operator === "-") {
    const aligned = sameUnit([a, b]);
    if (!aligned) return unknown(["unit"]);
    [[one, two], unit] = aligned;
  } else if (b.unit !== null && a.unit === null && operator === "*") unit = b.unit;
  else if (b.unit !== null) {
    two = operator === "/" && a.unit !== null ? converted(b.interval, b.unit, a.unit) : null;
    if (two === null) return unknown(["unit"]);
    unit = null;
  }
  const found = combine(operator, one, two);
  return found === null ? open(unit, merge(reasons, ["division"])) : number(found, unit, reasons);
}

function common(a, b) {
  if (a === null || b === null || a.year !== b.year) return null;
  if (a.month === null || a.month !== b.month) return { year: a.year, month: null, day: null };
  return a.day === b.day ? a : { year: a.year, month: a.month, day: null };
}

/** What holds whichever of the two it is. */
function either(a, b, reasons) {
  if (a.kind === "unknown" || b.kind === "unknown") return unknown(reasons);
  if (a.kind !== b.kind || a.kind === "instrument") return unknown(TYPE);
  if (a.kind === "number") {
    const aligned = sameUnit([a, b]);
    if (!aligned) return unknown(["unit"]);
    const [[one, two], unit] = aligned;
    return number(interval(least([low(one), low(two)]), most([high(one), high(two)])), unit, reasons);
  }
  if (a.kind === "truth") return isKnown(a) && a.truth === b.truth ? a : truth("U", reasons);
  if (a.kind === "code") return isKnown(a) && a.code === b.code ? a : coded(null, reasons);
  const date = common(a.date, b.date);
  return dated(date, date !== null && date.day !== null ? [] : reasons);
}

function choice(condition, then, otherwise) {
  const decided = asTruth(condition);
  if (decided.truth !== "U") return decided.truth === "T" ? then : otherwise;
  return either(then, otherwise, merge(reasonsOf(decided), reasonsOf(then), reasonsOf(otherwise)));
}

/** The value with its reasons named; a known value has none to name. */
const named = (value, name) => (value.kind === "instrument" ? value : { ...value, reasons: about(reasonsOf(value), name) });

function lookUp(node, scope) {
  const found = scope.get(node.name);
  if (!found) return unknown([`missing ${node.name}`]);
  if ((node.member === undefined && node.item === undefined) || found.kind === "unknown") return named(found, node.name);
  if (found.kind !== "instrument") return unknown([`type ${node.name}`]);
  const place = node.item === undefined ? `${node.name}.${node.member}` : `${node.name}["${node.item}"]`;
  const member = () => (node.member === "total" ? found.total : node.member === "range" ? found.range : found.parts.get(node.member));
  const part = node.item === undefined ? member() : found.items.get(node.item);
  return part ? named(part, place) : unknown([`missing ${place}`]);
}

function literal(node) {
  if (node.number !== undefined) return number(point(decimal(node.number)), node.unit ?? null, []);
  if (node.text !== undefined) return coded(node.text, []);
  if (node.truth !== undefined) return truth(node.truth ? "T" : "F");
  return dated(isoDate(node.date), []);
}

function operated(operator, parts) {
  if (operator === "and") return conjunction(parts);
  if (operator === "or") return disjunction(parts);
  if (operator === "not") return answer(not[asTruth(parts[0]).truth], reasonsOf(asTruth(parts[0])));
  if (operator === "range") return between(parts);
  if (operator === "list") return disjunction(parts.slice(1).map((one) => compared("==", parts[0], one)));
  if (operator === "if") return choice(...parts);
  if (operator === "-" && parts.length === 1) {
    const given = asNumber(parts[0]);
    return number(turned(given.interval), given.unit, reasonsOf(given));
  }
  return "+-*/".includes(operator) ? arithmetic(operator, ...parts) : compared(operator, ...parts);
}

function called(name, parts) {
  const [apply, fewest, atMost] = FUNCTIONS.get(name) ?? [null, 0, -1];
  return apply && parts.length >= fewest && parts.length <= atMost ? apply(parts) : unknown(TYPE);
}

/** What a tree is worth in a scope (a Map from `readScope`). Never throws for a tree that the server wrote. */
export function evaluate(node, scope) {
  if (node.of === undefined) return node.name === undefined ? literal(node) : lookUp(node, scope);
  const parts = node.of.map((part) => evaluate(part, scope));
  try {
    return node.call === undefined ? operated(node.op, parts) : called(node.call, parts);
  } catch (fault) {
    if (fault instanceof Limit) return unknown(["beyond-limits"]);
    throw fault;
  }
}

/* --- JSON --------------------------------------------------------------------------------------------------- */

const readEnd = (end) => (end === null ? null : decimal(end));
const readInterval = (given) => (typeof given === "string" ? point(decimal(given)) : { low: readEnd(given[0]), high: readEnd(given[1]) });
const readMap = (given) => new Map(Object.entries(given ?? {}).map(([name, value]) => [name, readValue(value)]));

/** A value from its JSON (protocol/expressions/encoding). */
export function readValue(json) {
  const reasons = json.reasons ?? [];
  if (json.instrument) {
    const { total: sum, range, items, parts } = json.instrument;
    return { kind: "instrument", total: readValue(sum), range: readValue(range), items: readMap(items), parts: readMap(parts), reasons };
  }
  if (json.truth !== undefined) return truth(json.truth, reasons);
  if (json.number !== undefined) return { kind: "number", interval: readInterval(json.number), unit: json.unit ?? null, reasons };
  if (json.date !== undefined) return dated(json.date === null ? null : isoDate(json.date), reasons);
  if (json.code !== undefined) return coded(json.code, reasons);
  return unknown(reasons);
}

export const readScope = readMap;

/** The JSON of a value. */
export function writeValue(value) {
  const reasons = value.reasons.length ? { reasons: value.reasons } : {};
  if (value.kind === "instrument") {
    const parts = (given) => Object.fromEntries([...given].map(([name, part]) => [name, writeValue(part)]));
    return { instrument: { total: writeValue(value.total), range: writeValue(value.range), items: parts(value.items), parts: parts(value.parts) } };
  }
  if (value.kind === "truth") return { truth: value.truth, ...reasons };
  if (value.kind === "date") return { date: value.date && isoText(value.date), ...reasons };
  if (value.kind === "code") return { code: value.code, ...reasons };
  if (value.kind === "unknown") return { unknown: true, ...reasons };
  const ends = [value.interval.low, value.interval.high].map((end) => end && decimalText(end));
  return { number: sharp(value.interval) ? ends[0] : ends, ...(value.unit === null ? {} : { unit: value.unit }), ...reasons };
}
