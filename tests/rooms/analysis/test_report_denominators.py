"""The denominators of every output of the plan, each against the entries of the ledger and not against a dataset.

A table counts when its denominators are tested (the analysis issue): an output of the plan without a check here fails.
Who was screened, randomized, dosed, assessed or had a sample is read from the entries; arms as in test_report_counts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence

import pytest

from equipoise.documents.report import Exhibit, Line
from equipoise.ledger.entries import (
    CodeBreakRequested,
    DeviationRaised,
    DeviationWithdrawn,
    FormSaved,
    InfusionStarted,
    ScreeningFailed,
    SubjectRandomized,
    SubjectScreened,
)
from equipoise.protocol.analysis import Output
from rooms.analysis.conftest import Trial
from rooms.analysis.test_report_counts import VISITS, arms_again, entries, events, exhibit, with_kind

FORMS = {
    "FMAMOTOT": "FMA", "FMAUETOT": "FMA", "FMALETOT": "FMA", "FMASETOT": "FMA", "MRS": "MRS", "NIHSS": "NIHSS",
    "NIHMOTOR": "NIHSS", "BI": "BI", "MMSE": "MMSE", "INFVOL": "MRI", "STENOSIS": "VASC", "WBC": "LBHEM",
    "HGB": "LBHEM", "PLAT": "LBHEM", "ALT": "LBCHEM", "AST": "LBCHEM", "BILI": "LBCHEM", "CREAT": "LBCHEM",
}  # fmt: skip
TARGETS = {"D28": 29, "D90": 90, "D180": 180, "D365": 365}
BY_PHONE = {"MRS": ("D270",), "BI": ("D270",)}
"""What the schedule asks for on day 270 as well (domain.md 5.1, V10)."""
People = list[set[str]]
"""Placebo, cells, everybody."""


class Ledger:
    """What the entries say, for one output."""

    def __init__(self, trial: Trial, output: Output) -> None:
        self.store, self.output, self.trial = trial.store, output, trial
        self.arms = arms_again(trial.store)
        self.randomized = with_kind(self.store, SubjectRandomized)
        self.dosed = with_kind(self.store, InfusionStarted)
        self.shown: Exhibit = exhibit(self.store, output.id)

    @property
    def members(self) -> set[str]:
        """The people of the output's set."""
        by_set = {
            "SCREENED": with_kind(self.store, SubjectScreened), "RANDOMIZED": self.randomized,
            "FAS": self.randomized, "SAF": self.dosed, "BIOS": set(),  # their values are behind the second door
        }  # fmt: skip
        return by_set[self.output.set]

    def split(self, people: set[str]) -> People:
        """The people of each column of the output."""
        found = [{one for one in people if self.arms.get(one) == arm} for arm in ("PLACEBO", "MSC")]
        if not self.output.arms:
            return [people]
        return [*found, people] if self.output.total else found

    def saved(self, form: str, item: str = "") -> set[tuple[str, str]]:
        """(participant, analysis visit) at which a form was saved (with that item, where one is named)."""
        return {
            (number, VISITS.get(one.entry.visit, "BASELINE"))
            for number, held in entries(self.store).items()
            for one in held
            if isinstance(one.entry, FormSaved) and one.entry.form == form
            if one.entry.items and (not item or item in one.entry.items)
        }

    def died(self) -> Mapping[str, int]:
        """Participant -> study day of death."""
        found = {}
        for number, held in entries(self.store).items():
            day = [one.entry.items["DTHDAT"].value for one in held
                   if isinstance(one.entry, FormSaved) and one.entry.form == "DS" and "DTHDAT" in one.entry.items]  # fmt: skip
            first = next((one.header.at[:10] for one in held if isinstance(one.entry, InfusionStarted)), None)
            if day and day[-1] and first:
                found[number] = (dt.date.fromisoformat(day[-1]) - dt.date.fromisoformat(first)).days + 1
        return found

    def with_value(self, parameter: str, visit: str, *, alive: bool = False) -> set[str]:
        """Who of the set has a value; with those for whom a death sets it, where the plan has it so."""
        form = FORMS[parameter]  # a laboratory form may hold some of its tests
        item = parameter if form.startswith("LB") else ""
        seen = {number for number, at in self.saved(form, item) if at == visit}
        planned = self.trial.study.analysis.parameter(parameter)
        if planned is not None and planned.after_death is not None and visit != "BASELINE" and not alive:
            target = TARGETS.get(visit, 270)
            seen |= {number for number, day in self.died().items() if target >= day}
        return seen & self.members

    def lines(self) -> list[tuple[str, list[str]]]:
        """Label and texts of the cells of every line."""
        return [(line.say("en"), [cell.say("en") for cell in line.cells]) for line in self.shown.lines]


def leading(text: str) -> int:
    found = re.match(r"\d+", text)
    assert found, text
    return int(found[0])


def percentage(text: str, of: int) -> None:
    """`n (p)`: p is 100 n / of."""
    found = re.match(r"(\d+)(?:/(\d+))? \(([\d.]+|–)\)", text)
    assert found, text
    if found[2] is not None:
        assert int(found[2]) == of, text
    assert found[3] == (f"{100 * int(found[1]) / of:.1f}" if of else "–"), (text, of)


def people_lines(its: Ledger) -> None:
    """Lines of people: the percentage is of the column, or of those whom the line names."""
    for planned, (_, texts) in zip(its.output.lines, its.lines(), strict=True):
        base = its.members & its.randomized if planned.of else its.members
        for text, column in zip(texts, its.split(base), strict=True):
            percentage(text, len(column))


def event_lines(its: Ledger) -> None:
    for _, texts in its.lines():
        for text, column in zip(texts, its.split(its.members), strict=True):
            percentage(text, len(column))


def summary_lines(its: Ledger, size: Callable[[str], People] | None = None) -> None:
    """Of each variable values and missing add up to the column; a percentage is of those with a value."""
    group, block = "", dict[str, list[str]]()
    for line in [*its.shown.lines, Line("", head=True)]:
        if line.head:
            if block:
                expected = size(group) if size is not None else its.split(its.members)
                _block(block, [len(one) for one in expected])
            group = line.say("en") if line.say("en").startswith("Infusion") else group
            block = {}
        elif (
            line.say("en") == "n" and size is not None and not block and line.cells[0].say("en").endswith(")")
        ):
            for cell, column, held in zip(line.cells, its.split(its.members), size(group), strict=True):
                assert leading(cell.say("en")) == len(held)
                percentage(cell.say("en"), len(column))
        else:
            block[line.say("en")] = [cell.say("en") for cell in line.cells]


def _block(block: Mapping[str, Sequence[str]], sizes: Sequence[int]) -> None:
    for place, size in enumerate(sizes):
        if "n" in block:
            assert leading(block["n"][place]) + leading(block["Missing"][place]) == size, block
            continue
        levels = [texts[place] for label, texts in block.items() if label != "Missing"]
        known = sum(leading(text) for text in levels)
        assert known + leading(block["Missing"][place]) == size, block
        for text in levels:
            percentage(text, known)


def exposure(its: Ledger) -> None:
    def begun(dose: str) -> People:
        rank = 1 if dose == "Infusion 1" else 2
        counts = {
            number: sum(isinstance(one.entry, InfusionStarted) for one in held)
            for number, held in entries(its.store).items()
        }
        return its.split({number for number, count in counts.items() if count >= rank} & its.members)

    summary_lines(its, begun)


def baselines(its: Ledger) -> None:
    code, block = "", dict[str, list[str]]()
    parameters = iter(its.output.parameters)
    for line in [*its.shown.lines, Line("", head=True)]:
        if line.head:
            if block:
                for place, column in enumerate(its.split(its.members)):
                    have = its.with_value(code, "BASELINE") & column
                    assert leading(block["n"][place]) == len(have), code
                    assert leading(block["Missing"][place]) == len(column) - len(have), code
            code, block = next(parameters, ""), {}
        else:
            block[line.say("en")] = [cell.say("en") for cell in line.cells]


def by_visit(its: Ledger) -> None:
    """Values by visit: n is who has one; missing is the rest of the column; thresholds are of those with a value."""
    codes, visits = list(its.output.parameters), [*its.output.visits]
    lines, at = its.lines(), 0
    columns = its.split(its.members)
    for code in codes:
        at += 1
        for visit in ("BASELINE", *visits):
            if visit == "BASELINE":
                _sizes(lines[at][1], [its.with_value(code, visit) & one for one in columns])
                at += 1
                continue
            at += 1
            _sizes(lines[at][1], [its.with_value(code, visit) & one for one in columns])
            changed = [
                its.with_value(code, visit) & its.with_value(code, "BASELINE") & one for one in columns
            ]
            _sizes(lines[at + 1][1], changed)
            for place, one in enumerate(columns):
                assert leading(lines[at + 2][1][place]) == len(one) - len(changed[place])
            at += 3 + (lines[at + 3][0] == "of the values, set for death") + 1
    shares(its, lines[at:])
    _levels(its, lines[at + sum(1 + len(one.visits) for one in its.output.thresholds) :])


def _sizes(texts: Sequence[str], people: People) -> None:
    """The first cells are the columns of people; those of differences and estimates may follow."""
    for text, one in zip(texts[: len(people)], people, strict=True):
        assert leading(text) == len(one), (texts, [sorted(each) for each in people])


def _levels(its: Ledger, lines: Sequence[tuple[str, list[str]]]) -> None:
    """By the levels of a variable: over the levels the n of a visit add up to who has a value."""
    if not its.output.by:
        return
    found: dict[str, list[int]] = {}
    for label, texts in lines:
        if texts:
            found.setdefault(label, [0, 0])
            for place in (0, 1):
                found[label][place] += leading(texts[place])
    labels = {"Baseline": "BASELINE", "Day 28": "D28", "Day 90": "D90", "Day 180": "D180", "Day 365": "D365"}
    assert found, its.output.id
    for label, sizes in found.items():
        people = its.with_value(its.output.parameters[0], labels[label])
        assert sizes == [len(people & one) for one in its.split(its.members)]


def shares(its: Ledger, lines: Sequence[tuple[str, list[str]]] | None = None) -> None:
    """`g/n (p)`: n is who has the value, and for a change a baseline too."""
    left = list(its.lines() if lines is None else lines)
    for asked in its.output.thresholds:
        left.pop(0)
        for visit in asked.visits:
            _, texts = left.pop(0)
            for place, column in enumerate(its.split(its.members)):
                have = its.with_value(asked.parameter, visit) & column
                if asked.of == "CHG":
                    have &= its.with_value(asked.parameter, "BASELINE")
                percentage(texts[place], len(have))


def grades(its: Ledger) -> None:
    """Every grade's percentage is of who has a value at the visit, and the grades add up to them."""
    lines = its.lines()
    levels = len(lines) // len(its.output.visits) - 2
    for place, visit in enumerate(its.output.visits):
        start = place * (levels + 2)
        for column, people in enumerate(its.split(its.members)):
            have = len(its.with_value("MRS", visit) & people)
            assert leading(lines[start + 1][1][column]) == have
            block = [texts[column] for _, texts in lines[start + 2 : start + 2 + levels]]
            assert sum(leading(text) for text in block) == have
            for text in block:
                percentage(text, have)


def sensitivities(its: Ledger) -> None:
    table = dict(its.lines())
    after = [its.with_value("FMAMOTOT", visit, alive=True) for visit in TARGETS]
    mfas = set.union(*after)
    expected = {
        "Primary: MMRM, deaths as 0": its.with_value("FMAMOTOT", "D180"),
        "Strata as corrected": its.with_value("FMAMOTOT", "D180"),
        "Modified full analysis set": its.with_value("FMAMOTOT", "D180") & mfas,
        "Per-protocol set": its.with_value("FMAMOTOT", "D180", alive=True),
        "While alive (values set for death left out)": its.with_value("FMAMOTOT", "D180", alive=True),
        "ANCOVA of those with a value": its.with_value("FMAMOTOT", "D180"),
        "ANCOVA of those alive with a value": its.with_value("FMAMOTOT", "D180", alive=True),
        "Missing values filled in at random (MAR)": its.with_value("FMAMOTOT", "BASELINE"),
        "Jump to reference": its.with_value("FMAMOTOT", "BASELINE"),
        "Copy reference": its.with_value("FMAMOTOT", "BASELINE"),
        "Copy increments in reference": its.with_value("FMAMOTOT", "BASELINE"),
        "Tipping point": its.with_value("FMAMOTOT", "BASELINE"),
        "Win ratio: death, then the change": its.with_value("FMAMOTOT", "BASELINE"),
    }
    assert table.keys() == expected.keys()
    for label, people in expected.items():
        _sizes(table[label], its.split(people))


def subgroup_sizes(its: Ledger) -> None:
    """Over the levels of a variable the numbers add up to everybody with a value."""
    whole = [len(one) for one in its.split(its.with_value("FMAMOTOT", "D180"))]
    sums: list[int] = []
    for line in its.shown.lines:
        texts = [cell.say("en") for cell in line.cells]
        if line.say("en") == "Everybody":
            assert [leading(text) for text in texts[:2]] == whole
        elif not line.indent:
            assert sums in ([], whole)
            sums = [0, 0]
        else:
            sums = [one + leading(text) for one, text in zip(sums, texts[:2], strict=True)]
    assert sums == whole


def guesses(its: Ledger) -> None:
    """Answers and missing add up to the column."""
    block: list[list[str]] = []
    for line in [*its.shown.lines, Line("", head=True)]:
        if line.head:
            for place, column in enumerate(its.split(its.members)):
                answers = [leading(texts[place]) for texts in block[:3]]
                assert not block or sum(answers) + leading(block[3][place]) == len(column)
                for texts in block[:3]:
                    percentage(texts[place], sum(answers))
            block = []
        else:
            block.append([cell.say("en") for cell in line.cells])


def nothing(its: Ledger) -> None:
    assert not its.shown.lines


def laboratory(its: Ledger) -> None:
    """By visit who has a value; shifts are of those with a value after baseline; the last line is of the column."""
    columns, code, last = its.split(its.members), "", list[int]()
    codes = iter(its.output.parameters)
    labels = {
        "Day 2": "D2",
        "Day 28": "D28",
        "Day 90": "D90",
        "Day 180": "D180",
        "Day 365": "D365",
        "Baseline": "BASELINE",
    }
    for line in its.shown.lines:
        texts, label = [cell.say("en") for cell in line.cells], line.say("en")
        if line.head:
            code = next(codes)
        elif label in labels:
            _sizes(texts, [its.with_value(code, labels[label]) & one for one in columns])
        elif label.startswith("Shift"):
            after = set().union(*(its.with_value(code, visit) for visit in TARGETS))
            last = [len(after & one) for one in columns]
            assert [leading(text) for text in texts] == last
        else:
            for place, column in enumerate(columns):
                percentage(texts[place], len(column) if label.startswith("Hy") else last[place])


def flow(its: Ledger) -> None:
    """The boxes: screened, excluded, randomized, then by arm."""
    said = " ".join(label.replace("\n", " ") for label, _ in its.lines()) + " ".join(
        text.replace("\n", " ") for _, texts in its.lines() for text in texts
    )
    failed = len(with_kind(its.store, ScreeningFailed))
    for wanted in (
        f"Assessed for eligibility n = {len(its.members)}", f"Randomized n = {len(its.randomized)}",
        f"screening failure {failed}", f"Excluded n = {len(its.members - its.randomized)}",
        *(f"allocated {sum(self == arm for self in its.arms.values())}" for arm in ("PLACEBO", "MSC")),
    ):  # fmt: skip
        assert wanted in said.replace("; ", " "), (wanted, said)


def curves(its: Ledger) -> None:
    """Events are the deaths of those who were dosed."""
    lines = its.lines()
    place = next(at for at, (label, _) in enumerate(lines) if label == "Death")
    died = set(its.died()) & its.members
    assert [leading(text) for text in lines[place + 1][1][:2]] == [
        len(died & one) for one in its.split(its.members)
    ]


def means(its: Ledger) -> None:
    """Behind a mean stand the values at the visit of those who have a baseline."""
    for line, visit in zip(its.shown.lines, its.output.visits, strict=True):
        for cell, column in zip(line.cells, its.split(its.members), strict=True):
            have = its.with_value("FMAMOTOT", visit) & its.with_value("FMAMOTOT", "BASELINE") & column
            assert cell.say("en") == "–" or len(cell.rows) == len(have)


def listed(its: Ledger, people: Callable[[Ledger], Sequence[str]]) -> None:
    """A line for each, with whose it is."""
    found = sorted(label[-5:] for label, _ in its.lines())
    assert found == sorted(people(its))


def _ended(its: Ledger) -> list[str]:
    return [one.number for one in its.trial.courses if one.randomized and one.ended not in ("", "COMPLETED")]


def _doses(its: Ledger) -> list[str]:
    return [
        number
        for number, held in entries(its.store).items()
        for one in held
        if isinstance(one.entry, InfusionStarted)
    ]


def _values(its: Ledger) -> list[str]:
    found = []
    for code in ("FMAMOTOT", "MRS", "NIHSS", "BI", "MMSE"):
        for visit in ("BASELINE", *TARGETS, *BY_PHONE.get(code, ())):
            found += sorted(its.with_value(code, visit))
    return found


def _events(its: Ledger, *, serious: bool = False) -> list[str]:
    return [n for n, items in events(its.store) if n in its.dosed and (not serious or items["AESER"] == "Y")]


def _breaks(its: Ledger) -> list[str]:
    return [
        number
        for number, held in entries(its.store).items()
        for one in held
        if isinstance(one.entry, CodeBreakRequested) and not one.entry.drill
    ]


def _deviations(its: Ledger) -> list[str]:
    return [
        number
        for number, held in entries(its.store).items()
        if number in its.randomized
        for one in held
        if isinstance(one.entry, DeviationRaised)
        and not any(
            isinstance(each.entry, DeviationWithdrawn) and each.entry.deviation == one.entry.deviation
            for each in held
        )
    ]


def _outside(its: Ledger) -> list[str]:
    """Randomized and not in the per-protocol set: without a day 180 total of their own."""
    seen = {number for number, at in its.saved("FMA") if at == "D180"}
    return sorted(its.randomized - seen)


def _abnormal(its: Ledger) -> None:
    """A line for each saved value outside the study's own range (`ranges.yaml`; no site has sent others), with whose it is."""
    limits = {(one.test, one.sex): (one.low, one.high) for one in its.trial.study.reference_ranges.rows}
    tests = [one for one, form in FORMS.items() if form.startswith("LB")]
    expected = []
    for number in its.dosed:
        saved = [one.entry for one in entries(its.store)[number] if isinstance(one.entry, FormSaved)]
        (sex,) = {one.items["SEX"].value for one in saved if one.form == "DM" and "SEX" in one.items}
        held = {(one.visit, one.repeat, test): one.items[test].value
                for one in saved for test in tests if one.form == FORMS[test] and test in one.items}  # fmt: skip
        for (_, _, test), value in held.items():
            low, high = limits.get((test, sex)) or limits[test, None]
            if value and (
                (low is not None and float(value) < low) or (high is not None and float(value) > high)
            ):
                expected.append((number, float(value)))
    assert expected
    assert sorted((label[-5:], float(texts[4])) for label, texts in its.lines()) == sorted(expected)


CHECKS: Mapping[str, Callable[[Ledger], None]] = {
    "T-01": people_lines, "T-02": event_lines, "T-03": event_lines, "T-04": people_lines, "T-05": summary_lines,
    "T-07": baselines, "T-09": exposure, "T-11": by_visit, "T-12": sensitivities, "T-13": by_visit, "T-14": shares,
    "T-15": grades, "T-16": shares, "T-17": by_visit, "T-18": by_visit, "T-19": by_visit, "T-20": subgroup_sizes,
    "T-21": nothing, "T-22": by_visit, "T-24": guesses, "T-25": people_lines, "T-26": event_lines,
    "T-27": event_lines, "T-28": event_lines, "T-29": event_lines, "T-30": people_lines, "T-31": laboratory,
    "F-01": flow, "F-03": means, "F-04": grades, "F-05": subgroup_sizes, "F-06": curves,
    "L-01": lambda its: listed(its, _ended), "L-02": lambda its: listed(its, _deviations), "L-03": lambda its: listed(its, _outside),
    "L-05": lambda its: listed(its, _doses), "L-06": lambda its: listed(its, _values),
    "L-07": lambda its: listed(its, _events), "L-08": lambda its: listed(its, lambda one: _events(one, serious=True)),
    "L-09": _abnormal, "L-10": lambda its: listed(its, lambda one: sorted(one.randomized)),
    "L-11": lambda its: listed(its, _breaks),
}  # fmt: skip


def test_every_output_of_the_plan_has_its_check(trial: Trial):
    assert {one.id for one in trial.study.analysis.outputs} == CHECKS.keys()


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_denominators(trial: Trial, name: str):
    output = next(one for one in trial.study.analysis.outputs if one.id == name)
    its = Ledger(trial, output)
    assert its.shown.population.en.endswith(f"N = {len(its.members)}")
    CHECKS[name](its)


def test_a_wrong_denominator_is_seen():
    with pytest.raises(AssertionError):
        percentage("3 (25.0)", 11)
    with pytest.raises(AssertionError):
        percentage("3/12 (25.0)", 11)
