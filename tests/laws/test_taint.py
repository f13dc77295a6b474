"""A revealing item planted anywhere in any web of rules is found at every place that it reaches, and nowhere else.

The oracle works the other way round from the program: for every place it asks, backwards and one step at a time,
whether anything that it was made of is revealing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.protocol.check import check_study
from equipoise.protocol.study import Study

FORMS, ITEMS = 3, 3
SINKS = ("criterion", "stratum", "gate", "check", "derivation", "total")


@dataclass(frozen=True)
class Web:
    """items: (form, item) -> inputs and own items that decide whether it is shown; inputs: name -> item it comes from."""

    shown_by: dict[tuple[int, int], tuple[str, ...]]
    inputs: dict[str, tuple[int, int]]
    revealing: frozenset[tuple[int, int]]
    read: str
    sink: str


@st.composite
def webs(draw: st.DrawFn) -> Web:
    places = [(form, item) for form in range(FORMS) for item in range(ITEMS)]
    inputs = {
        f"in{number}": place
        for number, place in enumerate(draw(st.lists(st.sampled_from(places), min_size=1, max_size=6, unique=True)))
    }  # fmt: skip
    shown_by = {}
    for form, item in places:
        own = [f"I{form}_{other}" for other in range(ITEMS) if other != item]
        shown_by[form, item] = tuple(
            draw(st.lists(st.sampled_from([*own, *inputs]), max_size=2, unique=True))
        )
    revealing = frozenset(draw(st.lists(st.sampled_from(places), max_size=2, unique=True)))
    return Web(
        shown_by, inputs, revealing, draw(st.sampled_from(sorted(inputs))), draw(st.sampled_from(SINKS))
    )


def _known(names: tuple[str, ...]) -> str:
    return " or ".join(f"known({name})" for name in names)


def study_of(web: Web) -> dict[str, Any]:
    """The web as a definition; the sink is a rule of its kind that reads `web.read`."""
    forms: list[dict[str, Any]] = []
    for form in range(FORMS):
        items: list[dict[str, Any]] = []
        for item in range(ITEMS):
            one: dict[str, Any] = {"id": f"I{form}_{item}", "label": "x", "type": "integer"}
            if web.shown_by[form, item]:
                one["visible_when"] = _known(web.shown_by[form, item])
            if (form, item) in web.revealing:
                one["blinding"] = "revealing"
            items.append(one)
        forms.append({"id": f"F{form}", "label": "x", "items": items})
    last: dict[str, Any] = {
        "id": "LAST",
        "label": "x",
        "items": [{"id": "Z", "label": "z", "type": "integer"}],
    }
    study: dict[str, Any] = {
        "notation": 1, "id": "s", "version": "1", "dated": "2026", "title": "t", "forms": [*forms, last],
        "inputs": [
            {"name": name, "label": "x", "type": "number", "origin": {"form": f"F{form}", "item": f"I{form}_{item}"}}
            for name, (form, item) in web.inputs.items()
        ],
    }  # fmt: skip
    rule = f"{web.read} > 1"
    match web.sink:
        case "criterion":
            study["criteria"] = [{"id": "C", "category": "inclusion", "text": "t", "rule": rule}]
        case "stratum":
            level = {"code": "L", "label": "l", "rule": rule}
            factor = {"id": "f", "label": "f", "levels": [level]}
            study["randomization"] = {"method": "complete", "ratio": {}, "factors": [factor]}
        case "gate":
            study["supply"] = {"gate": [{"id": "g", "label": "g", "rule": rule}]}
        case "check":
            last["checks"] = [{"id": "k", "holds": rule, "items": ["Z"], "message": "m"}]
        case "derivation":
            last["derivations"] = [{"id": "D", "label": "d", "rule": web.read}]
        case "total":
            study["eligibility"] = {"total_of": web.read}
    return study


WHERE = {
    "criterion": "criteria.C.rule",
    "stratum": "randomization.factors.f.levels.L.rule",
    "gate": "supply.gate.g.rule",
    "check": "forms.LAST.checks.k.holds",
    "derivation": "forms.LAST.derivations.D.rule",
    "total": "eligibility.total_of",
}


def tells(web: Web, name: str, asked: frozenset[str] = frozenset()) -> bool:
    """Whether a name carries what a revealing item tells, asked backwards; `asked` are the names on the way here."""
    if name in asked:
        return False
    asked = asked | {name}
    if name in web.inputs:
        form, item = web.inputs[name]
        return tells(web, f"I{form}_{item}", asked)
    form, item = (int(part) for part in name.removeprefix("I").split("_"))
    return (form, item) in web.revealing or any(tells(web, one, asked) for one in web.shown_by[form, item])


def expected(web: Web) -> set[str]:
    """The places at which something revealing would be seen."""
    found = {WHERE[web.sink]} if tells(web, web.read) else set()
    found |= {f"inputs.{name}.origin" for name in web.inputs if tells(web, name)}
    for (form, item), names in web.shown_by.items():
        if (form, item) not in web.revealing and any(tells(web, name) for name in names):
            found.add(f"forms.F{form}.items.I{form}_{item}.visible_when")
    return found


def faults(web: Web) -> set[str]:
    findings = check_study(Study.model_validate(study_of(web)))
    return {one.problem.where for one in findings if one.problem.rule == "protocol.study-taint"}


@settings(max_examples=150)
@given(webs())
def test_taint_is_found_wherever_it_reaches_and_nowhere_else(web: Web) -> None:
    assert faults(web) == expected(web)


@settings(max_examples=60)
@given(st.integers(1, 12), st.sampled_from(SINKS), st.data())
def test_a_chain_of_any_length_is_followed_to_its_end(length: int, sink: str, data: st.DataObject) -> None:
    """Items of one form each shown by the one before; the plant at a random place reaches the end, or is after it."""
    items = [{"id": f"A{n}", "label": "x", "type": "integer"} for n in range(length + 1)]
    for n in range(1, length + 1):
        items[n]["visible_when"] = f"known(A{n - 1})"
    planted = data.draw(st.integers(0, length))
    read = data.draw(st.integers(0, length))
    items[planted]["blinding"] = "revealing"
    web = Web(
        {(form, item): () for form in range(FORMS) for item in range(ITEMS)},
        {"in0": (0, 0)},
        frozenset(),
        "in0",
        sink,
    )
    study = study_of(web)
    study["forms"].append({"id": "CHAIN", "label": "x", "items": items})
    study["inputs"][0]["origin"] = {"form": "CHAIN", "item": f"A{read}"}
    findings = check_study(Study.model_validate(study))
    places = {one.problem.where for one in findings if one.problem.rule == "protocol.study-taint"}
    assert (WHERE[sink] in places) == (planted <= read)
