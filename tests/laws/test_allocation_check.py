"""The check of a definition and the code that draws lists agree on what can be drawn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol.checks.allocation import METHODS, allocation_can_be_made
from equipoise.protocol.strata import MODE_B
from equipoise.protocol.study import Study
from equipoise.randomization.methods import NAMES, method_of
from equipoise.randomization.minimization import minimization_of
from equipoise.words.problem import Problem

numbers = st.integers(-2, 40).map(str)
texts = st.one_of(
    numbers,
    st.lists(numbers, min_size=1, max_size=3).map(",".join),
    st.sampled_from(
        [
            "4,6",
            "8",
            " 4 , 8 ",
            "2,4",
            "3 6",
            "1/2",
            "2/3",
            "0.75",
            "3/2",
            "1/0",
            "",
            "x",
            "4,x",
            "1e3",
            "٤",
            "4_4",
        ]
    ),
)


def study_with(method: str, parameters: dict[str, str], ratio: dict[str, int], factors: int = 0) -> Study:
    return Study.model_validate(
        {
            "notation": 1, "id": "s", "version": "1", "dated": "2026", "title": "t",
            "arms": [{"id": arm, "label": arm} for arm in ratio],
            "randomization": {"method": method, "parameters": parameters, "ratio": ratio, "factors": [
                {"id": f"F{n}", "label": "F", "levels": [{"code": "a", "label": "a", "rule": "true"}]}
                for n in range(factors)
            ]},
        }
    )  # fmt: skip


def test_both_know_the_same_methods() -> None:
    assert set(METHODS) == {*NAMES, MODE_B}


@given(
    st.sampled_from(NAMES),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("sizes", "imbalance", "probability"), texts)),
    st.lists(st.integers(1, 3), min_size=2, max_size=3),
)
def test_what_passes_the_check_can_be_drawn(
    method: str, parameters: dict[str, str], weights: list[int]
) -> None:
    study = study_with(method, parameters, {f"A{n}": weight for n, weight in enumerate(weights)})
    assert study.randomization is not None
    passes = not list(allocation_can_be_made(study))
    made = method_of(study.randomization, 12)
    if passes:
        assert not isinstance(made, Problem)
    elif not isinstance(made, Problem):
        # What is refused though it could be drawn: pairs (DESIGN 5: blocks of 2 never), and numbers written oddly.
        odd = any(
            not text.isascii() or "_" in text or "e" in text or " " in text for text in parameters.values()
        )
        assert made.smallest_block == 2 or odd


@given(
    st.fixed_dictionaries(
        {"probability": st.sampled_from(["1/2", "0.8", "1", "4/5", "0.49", "5/4", "", "x"])},
        optional={
            "measure": st.sampled_from(["range", "variance", "median", ""]),
            "weights": st.sampled_from(["", "1", "1,2", "2 1", "0 1", "1,1,1", "x"]),
        },
    ),
    st.lists(st.integers(1, 3), min_size=2, max_size=3),
    st.integers(0, 2),
)
def test_minimization_passes_the_check_exactly_when_it_can_be_used(
    parameters: dict[str, str], weights: list[int], factors: int
) -> None:
    study = study_with(MODE_B, parameters, {f"A{n}": weight for n, weight in enumerate(weights)}, factors)
    assert study.randomization is not None
    passes = not list(allocation_can_be_made(study))
    assert passes is not isinstance(minimization_of(study.randomization), Problem)
