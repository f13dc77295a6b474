"""Laws of judging.

1. Learning more never overturns a verdict: a criterion, a decision or a stratum that is known while something is
   unknown stays what it is once that is known (strong Kleene logic is monotone; domain.md 4).
2. A case from a file and the same values captured on forms come to the same verdict.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.binding import bind
from equipoise.capture.evolve import START, evolve
from equipoise.consent.binding import bind as bind_consent
from equipoise.consent.evolve import START as NOBODY
from equipoise.eligibility.judgement import judge
from equipoise.eligibility.screen import screen_cases
from equipoise.instruments import scales
from equipoise.ledger.entries import Datum, FormSaved
from equipoise.protocol.strata import stratum
from equipoise.words.dates import PartialDate
from equipoise.words.truth import Truth
from rooms.capture.conduct_study import folded, made_study

STUDY = made_study()
NIHSS = scales()["NIHSS"]
TODAY = dt.date(2026, 8, 14)

whole = st.fixed_dictionaries(
    {
        "onset": st.dates(dt.date(2026, 4, 1), TODAY).map(dt.date.isoformat),
        "today": st.just(TODAY.isoformat()),
        "nihss": st.fixed_dictionaries(
            {
                item.id: st.one_of(
                    st.sampled_from(item.scores), st.just(0), st.just("UN" if item.untestable else 0)
                )
                for item in NIHSS.items
            }
        ),
        "bleeding": st.sampled_from(["T", "F", "F"]),
        "rankin": st.integers(0, 5),
        "participant_signed": st.sampled_from(["T", "F"]),
        "capacity_lacking": st.sampled_from(["T", "F"]),
        "lr_signed": st.sampled_from(["T", "F"]),
    }
)


@st.composite
def known_in_part(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A case, and the same case with some of it unknown or known less exactly."""
    full = draw(whole)
    partial: dict[str, Any] = {}
    for name, value in full.items():
        kept = draw(st.sampled_from(["known", "known", "null", "left out", "partly"]))
        if kept == "known":
            partial[name] = value
        elif kept == "null":
            partial[name] = None
        elif kept == "partly" and name == "onset":
            partial[name] = value[: draw(st.sampled_from([4, 7]))]
        elif kept == "partly" and name == "nihss":
            hidden = draw(st.sets(st.sampled_from(sorted(value)), max_size=3))
            partial[name] = {item: None if item in hidden else score for item, score in value.items()}
    return full, partial


def verdict(case: dict[str, Any]) -> dict[str, Any]:
    verdicts = screen_cases(STUDY, [{"case": "one", "input": case}])
    assert isinstance(verdicts, list), verdicts
    return verdicts[0]


@given(known_in_part())
def test_learning_more_never_overturns_a_verdict(cases):
    full, partial = (verdict(case) for case in cases)
    for criterion, letter in partial["results"].items():
        assert letter in {"U", full["results"][criterion]}, criterion
    assert partial["decision"] in {"NOT_EVALUABLE", full["decision"]}
    assert partial.get("stratum") in {None, full["stratum"]}
    if "total" in partial:
        assert partial["total"][0] <= full["total"][0] <= full["total"][1] <= partial["total"][1]


@given(whole)
def test_nothing_that_is_fully_known_stays_open(case):
    found = verdict(case)
    open_scores = "UN" in case["nihss"].values()
    assert "U" not in found["results"].values() or open_scores
    assert found["decision"] != "NOT_EVALUABLE" or open_scores


@given(whole)
def test_a_case_and_a_casebook_come_to_the_same(case):
    captured = [
        FormSaved("V1", "NIHSS", 1, {
            name: Datum(missing="UN", why="cast") if score == "UN" else Datum(str(score))
            for name, score in case["nihss"].items()
        }, {}, complete=True),
        FormSaved("V1", "STROKE", 1, {
            "ONSET": Datum(case["onset"]),
            "BLEED": Datum("Y" if case["bleeding"] == "T" else "N"),
            "RANKIN": Datum(str(case["rankin"])),
        }, {}, complete=True),
    ]  # fmt: skip
    inputs = {
        **bind(STUDY, folded(evolve, START, captured), PartialDate.of(TODAY)),
        **bind_consent(STUDY, NOBODY),
    }
    found = judge(STUDY, inputs)
    unasked = dict.fromkeys(("participant_signed", "capacity_lacking", "lr_signed"))
    expected = verdict({**case, **unasked})
    assert found.letters == expected["results"]
    assert found.decision == expected["decision"]
    assert stratum(STUDY, inputs).code == expected["stratum"]
    assert found.results["I03"] is Truth.UNKNOWN
