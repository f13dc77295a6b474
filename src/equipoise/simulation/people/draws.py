"""What a model may draw: a constant, a formula, or a number or code by chance; read once, drawn many times.

The rules that must stay true: a distribution that cannot be (a negative spread, a rate over 1, weights that are all
0) is a Problem with its place when the model is read; a draw takes its randomness from its own name alone
(`chances`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from equipoise.protocol.notation import Plain, Steps
from equipoise.simulation.people.chances import Chances
from equipoise.simulation.people.formula import Formula, FormulaError, Scope, Value, as_number, read_formula
from equipoise.words.codelists import MISSING
from equipoise.words.problem import Problem, problem


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, for a code of words.codelists.MISSING."""

    code: str


Drawn = Value | Missing | None
"""What a draw gives; None is no answer at all."""
_Draw = Callable[[Chances, str, Scope], Drawn]


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw that was read. `names`: what it asks of its scope; `codes`: the texts that it can give."""

    names: frozenset[str]
    codes: frozenset[str]
    _draw: _Draw

    def draw(self, chances: Chances, name: str, scope: Scope) -> Drawn:
        """The value for one participant at one place."""
        return self._draw(chances, name, scope)

    def number(self, chances: Chances, name: str, scope: Scope) -> float:
        """The value as a number; nothing is 0."""
        drawn = self._draw(chances, name, scope)
        return 0.0 if drawn is None or isinstance(drawn, Missing) else as_number(drawn)


@dataclass(slots=True)
class Reading:
    """What is gathered while a model is read: the faults, and how a place is named."""

    where: Callable[[Steps], str]
    problems: list[Problem] = field(default_factory=list)

    def fault(self, path: Steps, rule: str, **arguments: object) -> None:
        """Note a fault at a path."""
        self.problems.append(problem(rule, self.where(path), **arguments))


_KINDS = ("normal", "lognormal", "uniform", "whole", "chance", "one_of", "if", "by", "steady", "missing")
_NOTHING = Draw(frozenset(), frozenset(), lambda _chances, _name, _scope: None)


def read_draw(written: Plain, path: Steps, reading: Reading) -> Draw:
    """The draw that a model writes at a path; faults go to `reading`, and a draw of nothing stands in their place."""
    match written:
        case None:
            return _NOTHING
        case bool():
            reading.fault(path, "virtual.not-a-draw", kinds=", ".join(_KINDS))
            return _NOTHING
        case int() | Decimal():
            number = float(written)
            return Draw(frozenset(), frozenset(), lambda _chances, _name, _scope: number)
        case str() if written.startswith("="):
            return _of_formula(written[1:], path, reading)
        case str():
            return Draw(frozenset(), frozenset({written}), lambda _chances, _name, _scope: written)
        case dict():
            return _of_kind(written, path, reading)
        case _:
            reading.fault(path, "virtual.not-a-draw", kinds=", ".join(_KINDS))
            return _NOTHING


def _of_formula(source: str, path: Steps, reading: Reading) -> Draw:
    formula = formula_at(source, path, reading)
    return _NOTHING if formula is None else Draw(
        formula.names, frozenset(), lambda _chances, _name, scope: formula.value(scope)
    )  # fmt: skip


def formula_at(source: str, path: Steps, reading: Reading) -> Formula | None:
    """The formula at a path, or None and a fault."""
    try:
        return read_formula(source)
    except FormulaError as fault:
        reading.fault(path, "virtual.formula", formula=source.strip(), reason=fault.reason)
        return None


def _of_kind(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    kind = next((name for name in _KINDS if name in written), None)
    readers: Mapping[str, Callable[[Mapping[str, Plain], Steps, Reading], Draw]] = {
        "normal": _spread, "lognormal": _spread, "uniform": _range, "whole": _range, "chance": _chance,
        "one_of": _one_of, "if": _if, "by": _by, "steady": _steady, "missing": _missing,
    }  # fmt: skip
    if kind is None:
        reading.fault(path, "virtual.not-a-draw", kinds=", ".join(_KINDS))
        return _NOTHING
    beside = {"normal": (), "if": ("then", "else"), "by": ("of", "else")}.get(kind, ())
    for extra in written.keys() - {kind, *beside}:
        reading.fault((*path, extra), "virtual.key-unknown", key=extra, known=", ".join((kind, *beside)))
    return readers[kind](written, path, reading)


def _numbers(written: Plain, path: Steps, reading: Reading, keys: tuple[str, ...]) -> list[Draw] | None:
    """The parts of a distribution, each a number or a formula."""
    if not isinstance(written, dict) or not set(keys) <= written.keys() or written.keys() - {*keys, "within"}:
        reading.fault(path, "virtual.parts", parts=", ".join(keys))
        return None
    return [read_draw(written[key], (*path, key), reading) for key in keys]


def _within(written: Plain, path: Steps, reading: Reading) -> list[Draw]:
    """The bounds of a value: none, or the lower and the upper."""
    bounds = written.get("within") if isinstance(written, dict) else None
    if bounds is None:
        return []
    return _pair(bounds, (*path, "within"), reading) or []


def _pair(written: Plain, path: Steps, reading: Reading) -> list[Draw] | None:
    if not isinstance(written, list) or len(written) != 2:
        reading.fault(path, "virtual.pair")
        return None
    low, high = written
    if _is_number(low) and _is_number(high) and low > high:  # type: ignore[operator]  # both are numbers
        reading.fault(path, "virtual.bounds", low=low, high=high)
        return None
    return [read_draw(low, (*path, 0), reading), read_draw(high, (*path, 1), reading)]


def _is_number(written: Plain) -> bool:
    return isinstance(written, int | Decimal) and not isinstance(written, bool)


def _spread(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`normal: {mean, sd, within}` and `lognormal: {median, sigma, within}`."""
    logarithmic = "lognormal" in written
    kind, keys = ("lognormal", ("median", "sigma")) if logarithmic else ("normal", ("mean", "sd"))
    inner, here = written[kind], (*path, kind)
    parts = _numbers(inner, here, reading, keys)
    if parts is None or not isinstance(inner, dict):
        return _NOTHING
    for key in keys[0:1] if logarithmic else ():
        if _is_number(inner[key]) and float(inner[key]) <= 0:  # type: ignore[arg-type]  # it is a number
            reading.fault((*here, key), "virtual.median", found=inner[key])
    if _is_number(inner[keys[1]]) and float(inner[keys[1]]) < 0:  # type: ignore[arg-type]  # it is a number
        reading.fault((*here, keys[1]), "virtual.spread", found=inner[keys[1]])
    bounds = _within(inner, here, reading)
    centre, width = parts

    def draw(chances: Chances, name: str, scope: Scope) -> Drawn:
        z = chances.normal(name) * max(width.number(chances, f"{name}:spread", scope), 0.0)
        middle = centre.number(chances, f"{name}:centre", scope)
        value = middle * math.exp(z) if logarithmic else middle + z
        return _bounded(value, bounds, chances, name, scope)

    return Draw(_names(*parts, *bounds), frozenset(), draw)


def _bounded(value: float, bounds: list[Draw], chances: Chances, name: str, scope: Scope) -> float:
    if not bounds:
        return value
    low, high = (bound.number(chances, f"{name}:bound", scope) for bound in bounds)
    return min(max(value, low), high)


def _range(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`uniform: [low, high]`, or `whole: [low, high]` for whole numbers, both ends included."""
    kind = "uniform" if "uniform" in written else "whole"
    ends = _pair(written[kind], (*path, kind), reading)
    if ends is None:
        return _NOTHING

    def draw(chances: Chances, name: str, scope: Scope) -> Drawn:
        low, high = (end.number(chances, f"{name}:end", scope) for end in ends)
        part = chances.uniform(name)
        return low + part * (high - low) if kind == "uniform" else low + math.floor(part * (high - low + 1))

    return Draw(_names(*ends), frozenset(), draw)


def _chance(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`chance: p` is 1 with that probability, else 0."""
    rate = read_rate(written["chance"], (*path, "chance"), reading)
    return Draw(
        rate.names, frozenset(),
        lambda chances, name, scope: float(chances.uniform(name) < rate.number(chances, f"{name}:rate", scope)),
    )  # fmt: skip


def read_rate(written: Plain, path: Steps, reading: Reading) -> Draw:
    """A probability: a number from 0 to 1, or a formula."""
    if _is_number(written) and not 0 <= float(written) <= 1:  # type: ignore[arg-type]  # it is a number
        reading.fault(path, "virtual.rate", found=written)
    return read_draw(written, path, reading)


def _one_of(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`one_of: {CODE: weight}`, or `one_of: [[text, weight], …]` for texts that no key can be.

    A weight is a number or a formula.
    """
    here = (*path, "one_of")
    pairs = _weighted(written["one_of"])
    fixed = [weight for _, weight in pairs if _is_number(weight)]
    if (
        not pairs
        or any(float(weight) < 0 for weight in fixed)  # type: ignore[arg-type]  # they are numbers
        or (len(fixed) == len(pairs) and not any(fixed))
    ):
        reading.fault(here, "virtual.weights")
        return _NOTHING
    parts = [(code, read_draw(weight, (*here, code), reading)) for code, weight in pairs]

    def draw(chances: Chances, name: str, scope: Scope) -> Drawn:
        sizes = [max(weight.number(chances, f"{name}:weight", scope), 0.0) for _, weight in parts]
        left = chances.uniform(name) * sum(sizes)
        for (code, _), size in zip(parts, sizes, strict=True):
            left -= size
            if left < 0:
                return code
        return parts[-1][0]

    return Draw(_names(*(weight for _, weight in parts)), frozenset(code for code, _ in pairs), draw)


def _weighted(written: Plain) -> list[tuple[str, Plain]]:
    """Texts and their weights; none where they are written otherwise."""
    if isinstance(written, dict):
        return list(written.items())
    rows = written if isinstance(written, list) else []
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str)]
    return [(str(row[0]), row[1]) for row in pairs] if len(pairs) == len(rows) else []


def _if(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`{if: formula, then: draw, else: draw}`; without `else` there is no answer."""
    source = written["if"]
    formula = formula_at(source, (*path, "if"), reading) if isinstance(source, str) else None
    if formula is None:
        if not isinstance(source, str):
            reading.fault((*path, "if"), "virtual.formula", formula=source, reason="it is no text")
        return _NOTHING
    then = read_draw(written.get("then"), (*path, "then"), reading)
    other = read_draw(written.get("else"), (*path, "else"), reading)
    return Draw(
        formula.names | _names(then, other), then.codes | other.codes,
        lambda chances, name, scope: (then if formula.value(scope) else other).draw(chances, name, scope),
    )  # fmt: skip


def _by(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`{by: name, of: {CODE: draw}, else: draw}` chooses by the value of a name."""
    name, of = written["by"], written.get("of")
    if not isinstance(name, str) or not isinstance(of, dict):
        reading.fault(path, "virtual.parts", parts="by, of")
        return _NOTHING
    table = {code: read_draw(inner, (*path, "of", code), reading) for code, inner in of.items()}
    other = read_draw(written.get("else"), (*path, "else"), reading)

    def draw(chances: Chances, item: str, scope: Scope) -> Drawn:
        return table.get(spelled(scope[name]), other).draw(chances, item, scope)

    codes = frozenset().union(other.codes, *(inner.codes for inner in table.values()))
    return Draw(frozenset({name}) | _names(other, *table.values()), codes, draw)


def spelled(value: Value) -> str:
    """A value as a key: a whole number without its point."""
    return value if isinstance(value, str) else f"{value:g}"


def _steady(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`steady: draw` has the same chances at every visit: a person's own level of something."""
    inner = read_draw(written["steady"], (*path, "steady"), reading)
    return Draw(
        inner.names, inner.codes,
        lambda chances, name, scope: inner.draw(chances.at("steady"), name, scope),
    )  # fmt: skip


def _missing(written: Mapping[str, Plain], path: Steps, reading: Reading) -> Draw:
    """`missing: CODE` is a reason in the place of a value."""
    code = written["missing"]
    if not isinstance(code, str) or code not in MISSING:
        reading.fault((*path, "missing"), "virtual.missing-code", found=code, known=", ".join(MISSING))
        return _NOTHING
    given = Missing(code)
    return Draw(frozenset(), frozenset(), lambda _chances, _name, _scope: given)


def _names(*draws: Draw) -> frozenset[str]:
    return frozenset(_each(draws))


def _each(draws: tuple[Draw, ...]) -> Iterator[str]:
    for one in draws:
        yield from one.names
