"""The diary on paper: one card for each form, for a day on which no phone is to be had.

The rules that must stay true: a card asks what the phone asks of the same person and nothing else, in the study's own
words; a caregiver's card has no question that only the participant can answer; the card says that it is the last
resort, because nobody can tell when a paper was filled in. Source: Stone et al. 2002, BMJ 324:1193.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from equipoise.documents.squares import drawing
from equipoise.documents.typeset import Issue, chinese_font, pdf, said, words_in
from equipoise.protocol.diary import YES, DiaryForm, DiaryItem, DiaryPlan, DiarySection
from equipoise.words.text import Language, Text

_WORDS = (
    "documents.sheet-rehearsal",
    "documents.diary-subject",
    "documents.diary-day",
    "documents.diary-clock",
    "documents.diary-who",
    "documents.diary-self",
    "documents.diary-helped",
    "documents.diary-last-resort",
    "documents.diary-neither",
    "documents.diary-typed-by",
    "documents.diary-checked-by",
)
"""A scale from 0 to 10."""


def diary_pdf(
    plan: DiaryPlan,
    forms: Sequence[DiaryForm],
    number: str,
    issue: Issue,
    *,
    caregiver: bool = False,
    language: Language = "zh",
) -> bytes:
    """The cards of some forms, each beginning on a page of its own. `number`: the screening number.

    Chinese is asked for in vain where no font has it: the English is printed then, and the foot of the page says so.
    """
    spoken: Language = language if chinese_font() else "en"
    title = said("documents.diary-caregiver-title" if caregiver else "documents.diary-title", spoken)
    values: Mapping[str, object] = {
        "lang": spoken,
        "heading": title,
        "number": number,
        "caregiver": caregiver,
        "emergency": _beside(plan.emergency.number, plan.emergency.advice, spoken),
        "watched": _beside("", plan.emergency.not_watched, spoken),
        "forms": [_form(plan, form, number, spoken, caregiver=caregiver) for form in forms],
        "words": words_in(_WORDS, spoken),
    }
    return pdf("diary", Text(title), issue, values)


def _beside(number: str, text: Text | None, language: Language) -> str:
    """A number and what is said of it; whichever there is."""
    return " – ".join(part for part in (number, text.say(language) if text is not None else "") if part)


def _form(
    plan: DiaryPlan, form: DiaryForm, number: str, language: Language, *, caregiver: bool
) -> Mapping[str, object]:
    known = {section.id: section for section in plan.sections}
    sections = [known[name] for name in form.sections if name in known]
    asked = {item.id: item for item in plan.items(form)}
    printed = [
        {
            "label": section.label.say(language),
            "items": [_item(form, item, asked, language, caregiver=caregiver) for item in its],
        }
        for section in sections
        if (its := _asked(section, caregiver=caregiver))
    ]
    code = f"DIARY {form.id} {number}"
    return {
        "id": form.id,
        "label": form.label.say(language),
        "period": form.period.say(language),
        "code": code,
        "square": drawing(code),
        "sections": printed,
    }


def _asked(section: DiarySection, *, caregiver: bool) -> list[DiaryItem]:
    return [item for item in section.items if item.proxy or not caregiver]


def _item(
    form: DiaryForm, item: DiaryItem, asked: Mapping[str, DiaryItem], language: Language, *, caregiver: bool
) -> Mapping[str, object]:
    return {
        "question": item.asks("CAREGIVER" if caregiver else "PARTICIPANT", form.period).say(language),
        "helper": item.helper.say(language) if item.helper is not None else "",
        "only": _only(item, asked, language),
        "number": item.kind == "number",
        "unit": item.unit.say(language) if item.unit is not None else "",
        "options": _options(item, language),
        "ends": [end.say(language) for end in (item.low_label, item.high_label) if end is not None],
    }


def _options(item: DiaryItem, language: Language) -> list[str]:
    match item.kind:
        case "yesno":
            return [said("documents.crf-yes", language), said("documents.crf-no", language)]
        case "nrs":
            return [str(point) for point in range(item.low, item.high + 1)]
        case "number":
            return []
        case _:
            return [option.label.say(language) for option in item.options]


def _only(item: DiaryItem, asked: Mapping[str, DiaryItem], language: Language) -> str:
    """When the question is asked at all, in words."""
    rule = item.asked_if
    before = asked.get(rule.item) if rule is not None else None
    if rule is None or before is None:
        return ""
    words = {option.id: option.label.say(language) for option in before.options}
    words |= {YES: said("documents.crf-yes", language)} if before.kind == "yesno" else {}
    answers = ("；" if language == "zh" else "; ").join(words.get(code, code) for code in rule.one_of)
    return said("documents.diary-only-if", language, label=before.label.say(language), answers=answers)
