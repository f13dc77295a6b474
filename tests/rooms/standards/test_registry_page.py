"""Trial pages as text: a real one, made-up ones, the same in other clothes, and cut at every byte."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.standards import registry_vocabulary as words
from equipoise.standards.registry import Imported, import_registry
from equipoise.standards.registry_record import Record, readable
from equipoise.standards.registry_report import ImportReport

VECTORS = Path(__file__).parents[2] / "vectors" / "registry"
LANTERN = (VECTORS / "lantern-page.txt").read_text("utf-8")
LANTERN_JSON = (VECTORS / "lantern.json").read_bytes()
GULLS = (VECTORS / "gulls-page.txt").read_text("utf-8")


def bring(text: str | bytes, name: str = "page.txt") -> Imported:
    found = import_registry(text.encode() if isinstance(text, str) else text, name)
    assert isinstance(found, Imported), [problem.say() for problem in found]
    return found


def record(found: Imported) -> Record:
    assert found.study.registry is not None
    return Record(found.study.registry.fields)


def rules(report: ImportReport) -> dict[str, list[int]]:
    told: dict[str, list[int]] = {}
    for problem in report.not_understood:
        told.setdefault(problem.rule.removeprefix("registry."), []).append(
            int(problem.where.rsplit(":", 1)[1])
        )
    return told


# ---------------------------------------------------------------- the real page


@pytest.fixture(scope="module")
def real(shared_reference: Path) -> str:
    return (shared_reference / "nct07197606-page.txt").read_text("utf-8")


def test_the_real_page_is_understood_in_every_section(real):
    report = bring(real).report
    # The page itself: its stand-alone heading lines, and the line that opens the groups.
    headings = [
        line
        for line in real.split("\n")
        if line.lower() in words.HEADINGS or line.startswith("86 participants in 2 patient groups")
    ]
    assert [found.section for found in report.understood] == headings
    assert all(found.values or found.section.lower() in CONTAINERS for found in report.understood)
    assert rules(report) == {"year-only": [len(real.split("\n"))]}
    assert set(report.missing) == {"official-title", "masked-roles", "outcomes", "dates"}


CONTAINERS = {"details and patient eligibility", "trial design"}


def test_every_line_of_the_real_page_is_behind_a_field_or_a_heading_or_furniture(real):
    found = bring(real)
    held = "\n".join(f"{field.value}\n{field.note or ''}" for field in record(found).fields)
    for line in (raw.strip() for raw in real.split("\n")):
        known = line.lower() in words.HEADINGS or line.lower() in words.FURNITURE
        parts = (
            line in held
            or line.partition(": ")[2] in held
            or line
            in {"Description:", "Treatment:", "S"}  # parts of a group; the badge is the sponsor's initial
        )
        assert not line or known or parts, line


def test_the_real_page_gives_the_values_seen_on_it(real, domain):
    seen = record(bring(real))
    expected = {  # domain.json, registry_record, entries with the tag "seed"
        entry["api_v2_path"]: entry["value"] for entry in domain["registry_record"] if entry["tag"] == "seed"
    }
    simple = {path: value for path, value in expected.items() if "{" not in path and " / " not in path}
    assert len(simple) > 15
    for path, value in simple.items():
        if value not in ("(seed text)", "(seed text, one markdown string)"):
            assert seen.get(path) == value, path
    ages = next(value for path, value in expected.items() if path.endswith("minimumAge / maximumAge"))
    assert [seen.get(words.MINIMUM_AGE), seen.get(words.MAXIMUM_AGE)] == ages
    for prefix, value in expected.items():
        if "[].{" in prefix:
            base = prefix.partition("[]")[0]
            found = seen.get(base)
            if isinstance(value, dict):
                assert found == value
            else:
                assert isinstance(found, list)
                entries = [entry for entry in found if isinstance(entry, dict)]
                assert [
                    {key: entry[key] for key in want} for entry, want in zip(entries, value, strict=True)
                ] == value


def test_the_real_page_gives_ten_criteria_in_its_own_words(real):
    study = bring(real).study
    lines = real.split("\n")
    bullets = [
        number for number, line in enumerate(lines, 1) if line.startswith("  •")
    ]  # an independent count
    assert [criterion.line for criterion in study.criteria] == bullets
    assert [criterion.text.en for criterion in study.criteria] == [lines[n - 1].strip(" •") for n in bullets]
    assert [criterion.id for criterion in study.criteria] == [
        *(f"I0{n}" for n in range(1, 6)),  # the page: five under each heading
        *(f"E0{n}" for n in range(1, 6)),
    ]
    assert all(criterion.rule is None for criterion in study.criteria)


# ---------------------------------------------------------------- page and record of one trial


def test_page_and_record_of_one_trial_say_the_same_where_both_speak():
    page, json = record(bring(LANTERN)), record(bring(LANTERN_JSON, "lantern.json"))
    both = [path for paths in words.FACTS.values() for path in paths if page.has(path) and json.has(path)]
    assert len(both) > 20
    for path in {*both} - {words.CRITERIA, words.LOCATIONS, words.INTERVENTIONS}:
        assert page.get(path) == clean(json.get(path)), path
    assert page.get(words.LOCATION_COUNT) == len(json.objects(words.LOCATIONS))
    pairs = zip(page.objects(words.INTERVENTIONS), json.objects(words.INTERVENTIONS), strict=True)
    assert all(a.items() <= b.items() for a, b in pairs)
    studies = bring(LANTERN).study, bring(LANTERN_JSON, "lantern.json").study
    assert len({tuple((c.id, c.category, c.text, c.note) for c in study.criteria) for study in studies}) == 1
    assert len({(study.id, study.title, study.sponsor, study.arms) for study in studies}) == 1


def clean(value):
    """A value of the record as a page shows it: without the registry's backslashes."""
    if isinstance(value, dict):
        return {key: clean(inner) for key, inner in value.items()}
    return (
        [clean(inner) for inner in value]
        if isinstance(value, list)
        else readable(value)
        if isinstance(value, str)
        else value
    )


def test_several_of_everything():
    found = bring(LANTERN)
    seen = record(found)
    # Written into lantern-page.txt: 3 conditions, 3 groups (one without treatment), 2 contacts, 3 identifiers.
    assert seen.get(words.CONDITIONS) == ["Winter Tiredness", "Fatigue", "Sleep *Disorders*"]
    assert [arm.type for arm in found.study.arms] == ["EXPERIMENTAL", "SHAM_COMPARATOR", "NO_INTERVENTION"]
    assert [len(arm.interventions) for arm in found.study.arms] == [2, 1, 0]
    assert seen.get(words.CONTACTS) == [
        {
            "name": "Ada Lumen, MD",
            "role": "CONTACT",
            "phone": "+44 20 7946 0000",
            "email": "ada@lantern.example",
        },
        {"name": "Bo Glim", "role": "CONTACT", "phone": "020 7946 0001"},
    ]
    assert seen.get(words.ENROLMENT) == {"count": 1200, "type": "ESTIMATED"}
    assert (seen.get(words.MINIMUM_AGE), seen.get(words.MAXIMUM_AGE)) == ("6 Months", "65 Years")
    assert rules(found.report) == {"by-place": [40], "year-only": [146]}


def test_what_is_not_known_is_kept_and_told():
    found = bring(GULLS)
    seen = record(found)
    # Written into gulls-page.txt on the lines named here.
    assert rules(found.report) == {
        "unknown-label": [22, 47, 81],
        "several-funders": [30],
        "section-empty": [33],
        "line": [94, 96],
        "arms-count": [83],
        "locations-as-text": [102],
        "criteria-no-heading": [59],
        "year-only": [110],
    }
    assert seen.get(words.SEX) == "Women and men"
    assert seen.get(words.SPONSOR_CLASS) is None
    assert seen.get(words.PAGE_UNRECOGNISED) == ["Trial documents", "1"]
    assert seen.get(words.ENROLMENT) == {"count": 40}, (
        "the page does not say whether the number is an estimate"
    )
    assert [criterion.id for criterion in found.study.criteria] == ["I01", "I02", "E01"]
    assert found.study.id == "unidentified"
    assert {c.id for c in found.study.registry.contradictions} == {"enrolment", "groups"}


def test_criteria_without_an_exclusion_heading_are_told_to_lack_it():
    found = bring(GULLS.replace("Key Exclusion Criteria:", ""))
    assert found.report.criteria == (3, 0)  # all that is left stands under the one heading there is
    assert "exclusion" in found.report.missing
    assert "exclusion" not in bring(GULLS).report.missing


# ---------------------------------------------------------------- other clothes


def values(found: Imported) -> list[tuple[str, object]]:
    return [
        (field.path, re.sub(r"\n\s*\n+", "\n", field.value) if isinstance(field.value, str) else field.value)
        for field in record(found).fields
        if field.path != words.CRITERIA
    ]


CLOTHES = {
    "dos line ends": lambda text: text.replace("\n", "\r\n"),
    "old mac line ends": lambda text: text.replace("\n", "\r"),
    "byte order mark": lambda text: "\ufeff" + text,
    "hard spaces": lambda text: text.replace(" ", "\u00a0"),
    "trailing space": lambda text: text.replace("\n", " \t \n"),
    "invisible signs": lambda text: text.replace("Conditions\n", "\u200bCondi\u00adtions\n"),
    "other bullets": lambda text: text.replace("•", "●").replace("◦", "–"),
    "capitals": lambda text: text.replace("Status and phase", "STATUS AND PHASE"),
    "no end of line": lambda text: text.rstrip("\n"),
    "more blank lines": lambda text: text.replace("\n\n", "\n\n\n\n"),
    "tabs": lambda text: text.replace("  •", "\t•"),
}


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("page", ["lantern", "gulls"])
def test_the_same_page_in_other_clothes_says_the_same(page, clothes):
    text = {"lantern": LANTERN, "gulls": GULLS}[page]
    plain, dressed = bring(text), bring(CLOTHES[clothes](text))
    assert values(dressed) == values(plain)
    assert [(c.id, c.text) for c in dressed.study.criteria] == [(c.id, c.text) for c in plain.study.criteria]


def test_utf_16_is_read():
    assert values(bring(LANTERN.encode("utf-16"))) == values(bring(LANTERN))


def test_a_page_without_blank_lines_still_has_its_sections():
    squeezed = bring("\n".join(line for line in LANTERN.split("\n") if line.strip()))
    missing = {path for path, _ in values(bring(LANTERN))} - {path for path, _ in values(squeezed)}
    assert missing == set()


def test_a_double_spaced_page_still_has_its_lists():
    spaced = bring("\n\n".join(line for line in LANTERN.split("\n") if line.strip()))
    assert record(spaced).get(words.CONDITIONS) == record(bring(LANTERN)).get(words.CONDITIONS)
    assert [arm.label for arm in spaced.study.arms] == [arm.label for arm in bring(LANTERN).study.arms]


def sections(text: str) -> tuple[str, list[str]]:
    """The head, and each section from its heading on; split by the known headings, first one of a kind inside free
    text left alone (lantern-page.txt has such a line in its full description, gulls-page.txt has none)."""
    starts = [m.start() for m in re.finditer(r"(?m)^(.+)$", text) if is_heading(m[1])]
    if "The list below is binding." in text:
        starts.remove(text.index("Inclusion criteria"))
    ends = [*starts[1:], len(text)]
    return text[: starts[0]], [text[a:b] for a, b in zip(starts, ends, strict=True)]


def is_heading(line: str) -> bool:
    return line.lower() in words.HEADINGS or "participants in" in line


@given(st.randoms(use_true_random=False))
def test_sections_in_any_order_say_the_same(rng: random.Random):
    head, parts = sections(LANTERN.rstrip("\n") + "\n\n")
    free = next(part for part in parts if part.startswith("Full description"))
    parts.remove(free)
    rng.shuffle(parts)
    # A description that holds a heading of its own is known for one by the same heading coming later.
    place = rng.randint(0, min(i for i, part in enumerate(parts) if part.startswith("Inclusion criteria")))
    parts.insert(place, free)
    assert sorted(values(bring(head + "".join(parts))), key=repr) == sorted(values(bring(LANTERN)), key=repr)


@given(st.data())
def test_dropped_sections_are_named_missing_and_take_nothing_with_them(data):
    head, parts = sections(GULLS.rstrip("\n") + "\n\n")
    keep = data.draw(st.lists(st.sampled_from(range(len(parts))), min_size=3, unique=True).map(sorted))
    found = import_registry((head + "".join(parts[i] for i in keep)).encode(), "page.txt")
    if isinstance(found, tuple):
        assert found[0].rule in {"registry.not-recognised", "registry.nothing-read"}
        return
    whole = dict(values(bring(GULLS)))
    assert all(path in whole and whole[path] == value for path, value in values(found))


# ---------------------------------------------------------------- cut and spoilt


def test_cut_at_any_byte_nothing_is_invented():
    whole = bring(LANTERN)
    full = record(whole)
    points = [criterion.text for criterion in whole.study.criteria]
    data = LANTERN.encode()
    for cut in range(data.index(b"Data sourced")):
        found = import_registry(data[:cut], "page.txt")
        if isinstance(found, tuple):
            assert cut < 400, "enough of the page is there to recognise it"
            continue
        told = rules(found.report)
        assert "ends-early" in told
        for field in record(found).fields:
            expected = full.get(field.path)
            if field.path.startswith(words.PAGE_UNRECOGNISED):
                continue
            if isinstance(field.value, list):
                assert isinstance(expected, list)
                assert field.value == expected[: len(field.value)] or field.path == words.PHASES, field.path
            elif (
                field.path in (words.CRITERIA, words.SUMMARY, words.DESCRIPTION)
                or "description" in field.path
            ):
                assert expected.startswith(field.value), field.path
            else:
                assert field.value == expected, (cut, field.path)
        for criterion, point in zip(found.study.criteria, points, strict=False):
            assert point.en.startswith(criterion.text.en)


@given(st.data())
def test_spoilt_pages_never_crash_and_give_valid_studies(data):
    text = data.draw(st.sampled_from([LANTERN, GULLS]))
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(lines) - 1))
        action = data.draw(st.sampled_from(["drop", "double", "spoil", "swap", "insert"]))
        if action == "drop" and len(lines) > 1:
            lines.pop(place)
        elif action == "double":
            lines.insert(place, lines[place])
        elif action == "spoil":
            lines[place] = lines[place][::-1]
        elif action == "swap":
            lines[place], lines[-1 - place] = lines[-1 - place], lines[place]
        else:
            lines.insert(place, data.draw(st.text(max_size=30)))
    found = import_registry("\n".join(lines).encode("utf-8", "surrogatepass"), "page.txt")
    if isinstance(found, Imported):
        assert found.report.lines("zh")
        assert all(field.line is not None for field in record(found).fields)
    else:
        assert all(problem.say() != problem.rule for problem in found)
