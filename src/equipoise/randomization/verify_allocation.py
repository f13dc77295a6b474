"""The verifier of an allocation: makes the whole list again from two public files and trusts nothing else. One file.

    python verify_allocation.py PUBLIC RELEASE

PUBLIC is `allocation.json`, published before the first participant; RELEASE is `release.json`, from the final release;
standard library only, nothing of the program is imported. It checks, in this order: that no byte of PUBLIC
was changed; that the root stands for every slot; that each seed is the one that was committed to; that the seeds
(and the public value) give, by the published method, every public number, arm, draw and nonce; that each of these is
what the slot committed to; that slots were taken in order, once each, and that everybody was given the arm of the
slot; last, so that a slot that was changed is named before it, that no byte of RELEASE was changed.
The rules that must stay true: it is written from the description, not from the program (a test holds the two
together); garbage is a finding, no crash; the first slot that does not agree is named. Exit 0 with a last line
`ok N slots, M dispensed, root HEX`, or exit 1 and the first finding as last line. It cannot tell whether PUBLIC is the
file of that day: compare its root with the one that was printed, signed or registered then.
Sources: HKDF, RFC 5869; the tree, RFC 6962 section 2.1; the methods as their papers have them, named beside each.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import lcm
from pathlib import Path
from typing import Any, NamedTuple

PUBLIC, RELEASE = "equipoise-allocation-1", "equipoise-release-1"
SLOT, DRAWN, DRAW_BYTES, NONCE_BYTES = b"equipoise-slot-1", b"equipoise-draws-1", 8, 32
NO_ARM, LAYER = 255, "ALL"
State = tuple[int, ...]
Branches = Callable[[State], list[tuple[Fraction, int, State]]]
File = Mapping[
    str, Any
]  # Any: JSON of a file that is not trusted; every use is inside the one guard of `verify`


class Disagrees(Exception):
    """The first thing that is not as it must be; the text says which."""


class Slot(NamedTuple):
    """What a slot of the list, made again, is: public number and content."""

    number: str
    arm: int
    draw: bytes
    nonce: bytes


def verify(public: bytes, release: bytes) -> str:
    """The last line where everything agrees. Raises Disagrees with the first finding."""
    try:
        told, sound = _read(public, PUBLIC, "PUBLIC")
        if not sound:
            raise Disagrees("PUBLIC was changed since it was written")
        opened, whole = _read(release, RELEASE, "RELEASE")
        for name in ("study", "digest", "root", "public_value"):
            _same(opened[name], told[name], f"the two files do not belong together: {name}")
        _same(_root(told["strata"]), told["root"], "the root does not stand for the slots of PUBLIC")
        _same(
            _digest(opened["arms"]), told["plan"]["arms"], "the arms are not those that the list was made for"
        )
        made = _made(told, _seed(told, opened))
        _check_slots(told, opened, made)
        given = _check_dispensed(told, opened, made)
        if not whole:
            raise Disagrees("RELEASE was changed since it was written")
    except Disagrees:
        raise
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        ZeroDivisionError,
        RecursionError,
    ) as fault:
        raise Disagrees(f"a file is not of the form that it says: {type(fault).__name__} {fault}") from fault
    return f"ok {sum(map(len, made.values()))} slots, {given} dispensed, root {told['root']}"


def _read(data: bytes, form: str, name: str) -> tuple[File, bool]:
    """The content of a file of this form, and whether every byte is as it was written."""
    try:
        content: File = json.loads(data)
        others = {key: value for key, value in content.items() if key != "checksum"}
        formed = content["format"] == form
        whole = content["checksum"] == _digest(others) and data == _bytes(content) + b"\n"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise Disagrees(f"{name} cannot be read as {form}: {fault}") from fault
    if not formed:
        raise Disagrees(f"{name} is not of the form {form}")
    return content, whole


def _bytes(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(value: object) -> str:
    return hashlib.sha256(_bytes(value)).hexdigest()


def _same(one: object, other: object, says: str) -> None:
    if one != other:
        raise Disagrees(says)


def _root(strata: File) -> str:
    row = [
        hashlib.sha256(b"\x00" + _bytes({**slot, "index": index, "stratum": code})).digest()
        for code in sorted(strata)
        for index, slot in enumerate(strata[code], 1)
    ]
    while len(row) > 1:
        pairs = [hashlib.sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]
        row = pairs + row[2 * len(pairs) :]
    return row[0].hex()


# --- the seed, and draws from it -----------------------------------------------------------------------------------


def _seed(told: File, opened: File) -> bytes:
    """The combined seed, once each person's is the one that was committed to."""
    committed = {each["by"]: each["digest"] for each in told["contributions"]}
    seeds = {each["by"]: bytes.fromhex(each["seed"]) for each in opened["seeds"]}
    _same(sorted(seeds), sorted(committed), "the seeds are not those of the persons who committed")
    for name, seed in seeds.items():
        _same(
            hashlib.sha256(seed).hexdigest(),
            committed[name],
            f"the seed of {name} is not the one committed to",
        )
    parts = [seeds[name] for name in sorted(seeds)]
    value = told["public_value"]
    parts += [value.encode()] if value else []
    material = b"".join(len(each).to_bytes(8, "big") + hashlib.sha256(each).digest() + each for each in parts)
    return _hkdf(material, b"combined seed with public value" if value else b"combined seed")


def _hkdf(material: bytes, info: bytes) -> bytes:
    """HKDF-SHA256, 32 bytes: one block of RFC 5869's expansion."""
    return hmac.digest(hmac.digest(DRAWN, material, "sha256"), info + b"\x01", "sha256")


def _stream(seed: bytes, purpose: str) -> Iterator[int]:
    """The bytes of one purpose: block i is HMAC(key, i as 8 bytes)."""
    key, block = _hkdf(seed, purpose.encode()), 0
    while True:
        yield from hmac.digest(key, block.to_bytes(8, "big"), "sha256")
        block += 1


def _take(stream: Iterator[int], count: int) -> bytes:
    return bytes(next(stream) for _ in range(count))


def _below(stream: Iterator[int], bound: int) -> int:
    """Uniform below `bound`: as many bytes as its own length, thrown away from the last whole multiple on."""
    size = (bound.bit_length() + 7) // 8
    while (found := int.from_bytes(_take(stream, size), "big")) >= 256**size // bound * bound:
        pass
    return found % bound


# --- the list, made again --------------------------------------------------------------------------------------------


def _made(told: File, seed: bytes) -> dict[str, list[Slot]]:
    plan, digest = told["plan"], told["digest"]
    layers, length = plan["layers"], plan["length"]
    _same(sorted(layers), sorted(told["strata"]), "the strata of PUBLIC are not those of its plan")
    for code in layers:
        _same(len(told["strata"][code]), length, f"the list of {code} is not as long as the plan says")
    numbers = _numbers(plan["prefix"], len(layers) * length, _stream(seed, f"{digest} numbers"))
    found: dict[str, list[Slot]] = {}
    for code in layers:
        nonces = _stream(seed, f"{digest} nonces {code}")
        if plan["method"] == "minimization":
            draws = _stream(seed, f"{digest} draws {code}")
            contents = [(NO_ARM, _take(draws, DRAW_BYTES)) for _ in range(length)]
        else:
            contents = [(arm, b"") for arm in _arms(plan, length, _stream(seed, f"{digest} arms {code}"))]
        found[code] = [Slot(next(numbers), arm, draw, _take(nonces, NONCE_BYTES)) for arm, draw in contents]
    return found


def _numbers(prefix: str, count: int, stream: Iterator[int]) -> Iterator[str]:
    """Different random numbers of equal length: at least five digits, and ten times as many as there are slots."""
    digits = max(5, len(str(count * 10 - 1)))
    found: dict[int, None] = {}
    while len(found) < count:
        found[_below(stream, 10**digits)] = None
    return (f"{prefix}{number:0{digits}d}" for number in found)


def _arms(plan: File, length: int, stream: Iterator[int]) -> Iterator[int]:
    """The arms of one list. For every slot one draw below the common denominator of the chances."""
    start, branches = _method(plan, length)
    state, known = start, {}
    for _ in range(length):
        if state not in known:
            known[state] = branches(state)
        steps = known[state]
        whole = lcm(*(chance.denominator for chance, _, _ in steps))
        drawn = _below(stream, whole)
        for chance, arm, after in steps:
            drawn -= int(chance * whole)
            if drawn < 0:
                yield arm
                state = after
                break


def _method(plan: File, length: int) -> tuple[State, Branches]:
    """Where a method begins, and its chances for the next slot: (chance, arm, state afterwards), arms in order."""
    weights, given = tuple(plan["ratio"]), plan["parameters"]
    none = (0,) * len(weights)
    if plan["method"] == "complete":
        return (), lambda _: [(Fraction(weight, sum(weights)), arm, ()) for arm, weight in enumerate(weights)]
    if plan["method"] == "permuted_blocks":
        return none, _blocks(weights, [int(size) for size in given["sizes"].replace(",", " ").split()])
    if plan["method"] == "big_stick":
        return none, _stick(weights, int(given["imbalance"]))
    if plan["method"] == "maximal_procedure":
        return none, _maximal(weights, int(given["imbalance"]), length)
    if plan["method"] == "biased_coin":
        return none, _coin(Fraction(given["probability"]))
    raise Disagrees(f"the method {plan['method']} is not known")


def _blocks(weights: State, sizes: list[int]) -> Branches:
    """Matts and Lachin 1988: an urn of each arm's share of the block; an empty one is filled for any size, evenly."""
    total = sum(weights)

    def branches(left: State) -> list[tuple[Fraction, int, State]]:
        urns = (
            [left] if any(left) else [tuple(weight * size // total for weight in weights) for size in sizes]
        )
        return [
            (Fraction(count, sum(urn) * len(urns)), arm, _more(urn, arm, -1))
            for urn in urns
            for arm, count in enumerate(urn)
            if count
        ]

    return branches


def _stick(weights: State, limit: int) -> Branches:
    """Soares and Wu 1983: by the ratio among the arms that would not run further ahead than the limit."""

    def branches(counts: State) -> list[tuple[Fraction, int, State]]:
        allowed = [arm for arm in range(len(weights)) if _within(_more(counts, arm), weights, limit)]
        total = sum(weights[arm] for arm in allowed)
        return [(Fraction(weights[arm], total), arm, _less(_more(counts, arm), weights)) for arm in allowed]

    return branches


def _coin(probability: Fraction) -> Branches:
    """Efron 1971: the arm that is behind gets `probability`."""

    def branches(counts: State) -> list[tuple[Fraction, int, State]]:
        ahead = counts[0] - counts[1]
        first = Fraction(1, 2) if ahead == 0 else probability if ahead < 0 else 1 - probability
        shares = ((first, 0), (1 - first, 1))
        return [(share, arm, _less(_more(counts, arm), (1, 1))) for share, arm in shares if share]

    return branches


def _maximal(weights: State, limit: int, length: int) -> Branches:
    """Berger, Ivanova and Knoll 2003: in proportion to the lists that still keep the limit and end balanced."""
    levels: list[set[State]] = [{(0,) * len(weights)}]
    for _ in range(length):
        levels.append(
            {
                after
                for counts in levels[-1]
                for arm in range(len(weights))
                if _within(after := _more(counts, arm), weights, limit)
            }
        )
    total = sum(weights)
    even = {
        counts
        for counts in levels[-1]
        if all(n * total == length * w for n, w in zip(counts, weights, strict=True))
    }
    ways = dict.fromkeys(even or levels[-1], 1)
    for level in reversed(levels[:-1]):
        for counts in level:
            ways[counts] = sum(ways.get(_more(counts, arm), 0) for arm in range(len(weights)))

    def branches(counts: State) -> list[tuple[Fraction, int, State]]:
        onward = ((arm, _more(counts, arm)) for arm in range(len(weights)))
        return [(Fraction(ways[after], ways[counts]), arm, after) for arm, after in onward if ways.get(after)]

    return branches


def _more(counts: State, arm: int, by: int = 1) -> State:
    return tuple(count + by * (place == arm) for place, count in enumerate(counts))


def _less(counts: State, weights: State) -> State:
    """Whole rounds taken off: only the imbalance counts."""
    rounds = min(count // weight for count, weight in zip(counts, weights, strict=True))
    return tuple(count - rounds * weight for count, weight in zip(counts, weights, strict=True))


def _within(counts: State, weights: State, limit: int) -> bool:
    return all(
        abs(Fraction(counts[a], weights[a]) - Fraction(counts[b], weights[b])) <= limit
        for a, b in combinations(range(len(counts)), 2)
    )


# --- slots and what was dispensed -----------------------------------------------------------------------------------


def _check_slots(told: File, opened: File, made: Mapping[str, Sequence[Slot]]) -> None:
    _same(sorted(opened["slots"]), sorted(made), "RELEASE has other strata than PUBLIC")
    for code, slots in made.items():
        published, released = told["strata"][code], opened["slots"][code]
        _same(len(released), len(slots), f"RELEASE does not hold every slot of {code}")
        for index, (slot, public, said) in enumerate(zip(slots, published, released, strict=True), 1):
            where = f"slot {public['number']} (place {index} of {code})"
            _same(public["number"], slot.number, f"{where}: the seeds give another number")
            _same(said["number"], slot.number, f"{where}: RELEASE has another number")
            content = (said["arm"], bytes.fromhex(said["draw"]), bytes.fromhex(said["nonce"]))
            for name, one, other in zip(("arm", "draw", "nonce"), content, slot[1:], strict=True):
                _same(one, other, f"{where}: the {name} in RELEASE is not the one that the seeds give")
            _same(_commitment(told["study"], code, index, slot), public["commitment"],
                  f"{where}: it does not hold what was committed to")  # fmt: skip


def _commitment(study: str, stratum: str, index: int, slot: Slot) -> str:
    texts = (study.encode(), stratum.encode())
    name = b"".join(len(text).to_bytes(2, "big") + text for text in texts) + index.to_bytes(4, "big")
    return hashlib.sha256(SLOT + name + bytes([slot.arm]) + slot.draw + slot.nonce).hexdigest()


def _check_dispensed(told: File, opened: File, made: Mapping[str, Sequence[Slot]]) -> int:
    """Taken in the order of the list, once each, and the arm that was given is the arm of the slot."""
    minimizing = told["plan"]["method"] == "minimization"
    taken = dict.fromkeys(made, 0)
    subjects: set[str] = set()
    counts: dict[tuple[int, str], list[int]] = {}
    for order, each in enumerate(opened["dispensed"], 1):
        where = f"slot {each['number']} (number {order} in the order of randomization)"
        layer = LAYER if minimizing else each["stratum"]
        if layer not in made:
            raise Disagrees(f"{where}: there is no stratum {layer}")
        if taken[layer] >= len(made[layer]) or made[layer][taken[layer]].number != each["number"]:
            raise Disagrees(f"{where}: it was not the next one of {layer}")
        if each["subject"] in subjects:
            raise Disagrees(f"{where}: its participant has another slot")
        slot = made[layer][taken[layer]]
        arm = _minimized(told["plan"], counts, each["stratum"], slot.draw) if minimizing else slot.arm
        if each["arm"] not in {"", opened["arms"][arm]}:
            raise Disagrees(f"{where}: what was prepared is not the arm of the slot")
        taken[layer] += 1
        subjects.add(each["subject"])
    return len(opened["dispensed"])


def _minimized(plan: File, counts: dict[tuple[int, str], list[int]], stratum: str, draw: bytes) -> int:
    """Pocock and Simon 1975, unequal ratios after Han, Enas and McEntegart 2009; counts the participant in."""
    ratio, given = plan["ratio"], plan["parameters"]
    weights = [int(each) for each in given.get("weights", "").replace(",", " ").split()] or [1] * len(
        plan["factors"]
    )
    levels = stratum.split("/")
    if len(levels) != len(plan["factors"]) or any(
        level not in known for level, known in zip(levels, plan["factors"], strict=True)
    ):
        raise Disagrees(f"{stratum} is no stratum of the study")
    mine = [counts.setdefault(key, [0] * len(ratio)) for key in enumerate(levels)]
    wanting = []
    for arm in range(len(ratio)):
        after = [[Fraction(n + (k == arm), ratio[k]) for k, n in enumerate(held)] for held in mine]
        wanting.append(
            sum(
                w * _apart(values, given.get("measure", "")) for w, values in zip(weights, after, strict=True)
            )
        )
    best = sum(weight for weight, each in zip(ratio, wanting, strict=True) if each == min(wanting))
    probability = Fraction(given["probability"])
    other = (1 - probability) / (sum(ratio) - 1)
    favoured = (probability + (best - 1) * other) / best
    at, passed = Fraction(int.from_bytes(draw, "big"), 2 ** (8 * DRAW_BYTES)), Fraction(0)
    for arm, each in enumerate(wanting):
        passed += ratio[arm] * (favoured if each == min(wanting) else other)
        if at < passed:
            for held in mine:
                held[arm] += 1
            return arm
    raise Disagrees("the chances of minimization do not sum to 1")


def _apart(values: Sequence[Fraction], measure: str) -> Fraction:
    if measure != "variance":
        return max(values) - min(values)
    mean = sum(values) / Fraction(len(values))
    return sum((value - mean) ** 2 for value in values) / Fraction(len(values) - 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check two files. The exit status; 2 for wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 2:
        sys.stderr.write("usage: verify_allocation.py PUBLIC RELEASE\n")
        return 2
    try:
        sys.stdout.write(verify(Path(given[0]).read_bytes(), Path(given[1]).read_bytes()) + "\n")
    except (Disagrees, OSError) as fault:
        sys.stdout.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
