"""Laws of scoring that hold for every scale, whatever its items.

Source of the rules: the module docstring of equipoise.instruments.scoring; scales' own rules as in their files.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.instruments import Answer, Scale, item_bounds, scale, scales, score, unanswered
from equipoise.instruments.scoring import derive

SCALES = sorted(scales())


def of(name: str) -> Scale:
    found = scale(name)
    assert found is not None
    return found


def known(value: Decimal | None) -> Decimal:
    assert value is not None
    return value


@st.composite
def answered(draw: st.DrawFn, name: str, *, missing: bool = True) -> dict[str, Answer]:
    """Answers to some (or all) items: scores, UN where it is offered, codes for not done."""
    answers: dict[str, Answer] = {}
    few = draw(
        st.booleans()
    )  # half of the cases nearly complete, so that official totals occur in long scales too
    for item in of(name).items:
        choices: list[Answer] = [*item.scores] * (1 if missing and not few else 40)
        choices += ["UN"] if item.untestable else []
        if missing:
            choices += ["ND", "RF"]
        if missing and draw(st.integers(0, 150 if few else 4)) == 0:
            continue
        answers[item.id] = draw(st.sampled_from(choices))
    return answers


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_the_official_total_lies_within_its_bounds(name: str, data: st.DataObject) -> None:
    answers = data.draw(answered(name))
    for found in (*score(of(name), answers).values(), *derive(of(name), answers).values()):
        low, high = found.bounds.low, found.bounds.high
        assert low is not None
        assert high is not None
        assert found.total.minimum <= low <= high <= found.total.maximum
        assert (found.official is None) or low <= found.official <= high
        assert found.official is not None or found.missing or found.untestable
        if found.bounds.known and not found.missing:
            assert found.official in (low, None)


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_knowing_more_never_widens_the_bounds(name: str, data: st.DataObject) -> None:
    answers = data.draw(answered(name))
    open_items = [item for item in of(name).items if not isinstance(answers.get(item.id), int)]
    if not open_items:
        return
    learned = data.draw(st.sampled_from(open_items))
    more = {**answers, learned.id: data.draw(st.sampled_from(learned.scores))}
    before, after = score(of(name), answers), score(of(name), more)
    for testcd, found in after.items():
        earlier = before[testcd].bounds
        assert earlier.meet(found.bounds) == found.bounds, testcd
        assert set(found.missing) <= set(before[testcd].missing)


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_a_higher_score_on_an_item_never_lowers_a_total(name: str, data: st.DataObject) -> None:
    answers = data.draw(answered(name))
    raisable = [
        item
        for item in of(name).items
        if isinstance(answers.get(item.id), int) and answers[item.id] != item.maximum
    ]
    if not raisable:
        return
    item = data.draw(st.sampled_from(raisable))
    higher = data.draw(st.sampled_from([value for value in item.scores if value > int(answers[item.id])]))
    before, after = score(of(name), answers), score(of(name), {**answers, item.id: higher})
    for testcd, found in after.items():
        assert known(found.bounds.low) >= known(before[testcd].bounds.low)
        assert known(found.bounds.high) >= known(before[testcd].bounds.high)
        if found.official is not None and before[testcd].official is not None:
            assert found.official >= known(before[testcd].official)


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_the_bounds_are_exactly_what_the_open_items_could_make(name: str, data: st.DataObject) -> None:
    """Both ends are reached: filling every open item with its lowest (highest) score gives the low (high) end.

    The alternative route to the same number: no interval arithmetic, only complete answers.
    """
    answers = data.draw(answered(name))
    ends = {}
    for end in ("minimum", "maximum"):
        filled = {
            item.id: answers[item.id] if isinstance(answers.get(item.id), int) else getattr(item, end)
            for item in of(name).items
        }
        ends[end] = score(of(name), filled)
    for testcd, found in score(of(name), answers).items():
        assert found.bounds.low == ends["minimum"][testcd].official
        assert found.bounds.high == ends["maximum"][testcd].official


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_a_gate_decides_whether_its_item_counts(name: str, data: st.DataObject) -> None:
    whole = of(name)
    answers = data.draw(answered(name, missing=False))
    for gate in whole.gates:
        opened = all(answers[item] == whole.item(item).maximum for item in gate.opened_by)
        bare = {**answers, gate.item: 0}
        for testcd, found in score(whole, answers).items():
            if gate.item in found.total.items:
                counts = int(answers[gate.item]) if opened else 0
                assert found.official == known(score(whole, bare)[testcd].official) + counts
                assert (gate.item in found.closed) is not opened


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_what_is_still_unanswered_is_what_keeps_a_total_open(name: str, data: st.DataObject) -> None:
    answers = data.draw(answered(name))
    bare = {item: answer for item, answer in answers.items() if answer not in ("ND", "RF")}
    left = set(unanswered(of(name), bare))
    missing = {item for found in score(of(name), bare).values() for item in found.missing}
    assert left == missing


@pytest.mark.parametrize("name", SCALES)
@given(data=st.data())
def test_an_items_bounds_are_its_score_or_its_whole_range(name: str, data: st.DataObject) -> None:
    answers = data.draw(answered(name))
    for item in of(name).items:
        bounds = item_bounds(item, answers.get(item.id))
        answer = answers.get(item.id)
        if isinstance(answer, int):
            assert bounds.low == bounds.high == Decimal(answer)
        else:
            assert (bounds.low, bounds.high) == (Decimal(min(item.scores)), Decimal(max(item.scores)))
