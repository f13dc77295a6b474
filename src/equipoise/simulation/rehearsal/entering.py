"""How virtual staff type a form: what the source says, with the slips that people make.

The rules that must stay true: what is typed is what the participant's model says, changed only by rates that are data;
the source is remembered, so that whoever compares later finds exactly what was typed wrongly; what the desk refuses is
looked at again beside the item that it names, as a person would.
"""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.capture.commands import RecordForm
from equipoise.capture.consequences import Now
from equipoise.capture.double.applies import only_twice
from equipoise.capture.double.commands import RecordEntry
from equipoise.capture.evolve import Place
from equipoise.capture.progress import form_now
from equipoise.capture.questions import Question, questions
from equipoise.ledger.entries import Datum
from equipoise.protocol.forms import Form
from equipoise.simulation.rehearsal.case import Case
from equipoise.simulation.rehearsal.staff import RATER, Person, rated
from equipoise.simulation.rehearsal.stage import Stage, Stopped
from equipoise.words.dates import PartialDate
from equipoise.words.problem import problem

Answers = Mapping[str, Datum]
_LEFT_OUT, _LACKING, _NOTHING = "capture.item-hidden", "capture.incomplete", "capture.nothing-changed"
_TRIES = 6
"""How often a person looks at one form again before the script is at fault."""


def same(one: Datum, other: Datum) -> bool:
    """Whether two answers say the same."""
    return (one.missing or one.value or "") == (other.missing or other.value or "")


def differing(case: Case, place: Place, values: Mapping[str, Datum]) -> dict[str, Datum]:
    """Items recorded otherwise than the source says, or not at all, with what the source says."""
    source, out = case.saved.get(place, {}), case.left_out.get(place, set())
    return {
        item: said
        for item, said in source.items()
        if not same(values.get(item, Datum()), said) and (item not in out or item in values)
    }


class Typist:
    """Types forms for the people of one stage. `began`: the moment from which raters drift."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._began = stage.clock.at

    def enterer(self, form: Form, site: str) -> Person:
        """Who types a form: a rater what is rated, a coordinator everything else."""
        return self._stage.person(RATER if rated(form) else "coordinator", site)

    def record(self, case: Case, place: Place, answers: Answers) -> None:
        """Type a form of which nothing was recorded yet; what tells the arm is left to the second door."""
        form = self._stage.study.form(place.form)
        if form is None:
            raise Stopped(f"the study has no form {place.form}", ())
        asked = {each.id: each for each in questions(form)}
        told = {item: said for item, said in answers.items() if item in asked and not asked[item].revealing}
        if self._anothers(case, place):
            return
        case.saved[place] = dict(told)
        self._note_guess(case, place, asked, told)
        if form.double_entry is not None and only_twice(
            form, case.site, self._stage.captured(case.subject), place
        ):
            for number in (0, 1):
                person = self._stage.person("coordinator", case.site, number)
                self._stage.must(person, RecordEntry(case.subject, *place, told), len(told))
            return
        self._hand_in(self.enterer(form, case.site), case, place, self._typed(case, asked, place, told))

    def _anothers(self, case: Case, place: Place) -> bool:
        """Whether somebody outside the script has typed a form already: it is left as it is, and told."""
        stage = self._stage
        if stage.passed is None or place in case.saved or not stage.captured(case.subject).form(place).seq:
            return False
        where = f"{'/'.join(map(str, place))} of {case.number}"
        stage.stop(where, (problem("travel.already-there"),))
        return True

    def _note_guess(self, case: Case, place: Place, asked: Mapping[str, Question], told: Answers) -> None:
        """Remember what somebody thinks was given, for the account of how the blind fared."""
        guess = self._stage.staff.guess
        for item, said in told.items():
            own = asked[item].own
            if guess is not None and own is not None and own.codelist == guess.codelist and said.value:
                case.guesses[place] = said.value

    def row(self, case: Case, place: Place, answers: Answers) -> None:
        """A row of a running list as it stands now: typed where it is new, changed where something ended since."""
        known = case.saved.get(place)
        if known is None:
            self.record(case, place, answers)
            return
        changed = {item: said for item, said in answers.items() if not same(said, known.get(item, Datum()))}
        if changed:
            case.saved[place] = {**known, **changed}
            self.correct(case, place, changed, "has ended since")

    def correct(self, case: Case, place: Place, items: Answers, reason: str) -> None:
        """Put right what was typed wrongly, with a reason, and complete the form where it was open."""
        form = self._stage.study.form(place.form)
        if form is None or not items:
            return
        self._hand_in(self.enterer(form, case.site), case, place, items, reason)

    def complete(self, case: Case) -> int:
        """Complete the forms that were left open, from their sources; how many there were."""
        state, found = self._stage.captured(case.subject), 0
        for place in list(case.saved):
            form, instance = self._stage.study.form(place.form), state.form(place)
            if form is None or instance.complete or not instance.seq:
                continue
            found += 1
            case.left_out.pop(place, None)  # what did not apply may apply by now
            lacking = differing(case, place, instance.values)
            self._hand_in(self.enterer(form, case.site), case, place, lacking, "left open before")
            unknown = self._unknown(case, form, place)
            if unknown:
                self._hand_in(self.enterer(form, case.site), case, place, unknown, "not in the source")
        return found

    def _unknown(self, case: Case, form: Form, place: Place) -> dict[str, Datum]:
        """Required items of which the source says nothing, with the reason that the form offers first."""
        now = self._stage.standing(case.subject)
        at = Now.of(PartialDate.of(now.today), now.facts)
        lacking = form_now(self._stage.study, now.case.capture, *place, at).lacking
        asked = {each.id: each for each in questions(form)}
        return {item: Datum(missing=asked[item].missing[0]) for item in lacking if asked[item].missing}

    def send_values(self, case: Case, place: Place, answers: Answers) -> None:
        """Have the laboratory type, behind the second door, what could tell the arm."""
        form = self._stage.study.form(place.form)
        asked = {each.id for each in questions(form) if each.revealing} if form is not None else frozenset()
        told = {item: said for item, said in answers.items() if item in asked}
        if told:
            self._stage.values.append((case.subject, place.visit, place.form, told))

    # --- slips -------------------------------------------------------------------------------------------------

    def _typed(
        self, case: Case, asked: Mapping[str, Question], place: Place, answers: Answers
    ) -> dict[str, Datum]:
        """What is typed: the answers, with slips of the hand and of the eye."""
        stage, typed = self._stage, {}
        rates, bias = stage.staff.rates, self._bias()
        for item, answer in answers.items():
            question, key = asked[item], (case.index, *place, item)
            if question.required and stage.chance.happens(rates.blank, "blank", *key):
                stage.tally.counts["items left blank"] += 1
                continue
            said = answer
            if question.scored is not None and stage.chance.happens(bias, "bias", *key):
                said = _one_up(question, answer)
                stage.tally.counts["scores biased"] += not same(said, answer)
                case.saved[place][item] = said  # the rater believes it: the source says the same
            elif stage.chance.happens(rates.mistyped, "mistyped", *key):
                said = _mistyped(question, answer, stage.chance.share("how", *key))
                stage.tally.counts["items mistyped"] += not same(said, answer)
            typed[item] = said
        return typed

    def _bias(self) -> float:
        """The share of scored items that come out a step too high now."""
        years = (self._stage.clock.at - self._began).days / 365
        return min(
            self._stage.staff.rates.rater.bias + years * self._stage.staff.rates.rater.drift_per_year, 1.0
        )

    # --- handing in --------------------------------------------------------------------------------------------

    def _hand_in(
        self, person: Person, case: Case, place: Place, typed: Mapping[str, Datum], reason: str = ""
    ) -> None:
        """Save what was typed. What does not apply is left out; what is refused is read in the source again."""
        items, complete = dict(typed), True
        for _ in range(_TRIES):
            base = self._stage.desk.form_seq(case.subject, *place)
            command = RecordForm(case.subject, *place, items, base, complete or None, reason or None)
            outcome = self._stage.give(person, command, max(len(items), 1))
            if outcome.accepted or outcome.problems[0].rule == _NOTHING:
                return
            rules = {one.where: one.rule for one in outcome.problems}
            if set(rules.values()) == {_LACKING}:
                complete = False
                continue
            again = self._read_again(case, place, items, rules)
            if again == items:
                break
            items = again
        stage = self._stage
        stage.stop(f"{'/'.join(map(str, place))} of {case.number}", outcome.problems)
        case.saved.pop(place, None)  # what stands there is somebody's own, and no mistake of ours

    def _read_again(
        self, case: Case, place: Place, items: Mapping[str, Datum], rules: Mapping[str, str]
    ) -> dict[str, Datum]:
        """The items with what was refused put right, or left out where the source says nothing else."""
        found, source = dict(items), case.saved.get(place, {})
        for item, rule in rules.items():
            if item not in found or rule == _LACKING:
                continue
            said = source.get(item)
            if rule == _LEFT_OUT or said is None or found[item] == said:
                del found[item]
                if rule == _LEFT_OUT:
                    case.left_out.setdefault(place, set()).add(item)
                else:
                    source.pop(item, None)
                continue
            found[item] = said
            self._stage.tally.counts["mistakes caught at once"] += 1
        return found


def _mistyped(question: Question, answer: Datum, chance: float) -> Datum:
    """A slip of the hand: two digits swapped, or the next score; the answer itself where none is possible."""
    if question.scored is not None:
        return _one_up(question, answer)
    numeric = question.own is not None and question.own.type in {"integer", "decimal"}
    signs = list(answer.value or "")
    places = [place for place, sign in enumerate(signs) if sign.isdigit()]
    if not numeric or len(places) < 2:
        return answer
    first = int(chance * (len(places) - 1))
    one, other = places[first], places[first + 1]
    signs[one], signs[other] = signs[other], signs[one]
    swapped = "".join(signs)
    return answer if swapped.startswith("0") and not swapped.startswith("0.") else Datum(swapped)


def _one_up(question: Question, answer: Datum) -> Datum:
    """The next higher score; the same where there is none."""
    if question.scored is None or not (answer.value or "").isdigit():
        return answer
    higher = [score for score in question.scored.scores if score > int(answer.value or "0")]
    return Datum(str(higher[0])) if higher else answer
