"""Made-up views, and a desk that keeps what it is told in memory: for the pages' own tests.

It knows no rule of a trial beyond what a page needs to be tried on: a form with a real scale, saves with a base,
a query, a checklist of three criteria, a stepper. Problems to be answered can be put into `answers_with`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from equipoise.access.commands import Grant, Who
from equipoise.capture.commands import AnswerQuery, CloseQuery, RaiseQuery, RecordForm
from equipoise.desk.consent_page import (
    Beside,
    CaregiverLine,
    ConsentLine,
    ConsentView,
    OptionLine,
    VersionLine,
)
from equipoise.desk.identities import IdentityInput
from equipoise.desk.inbox import STATES, Filters, InboxView, OneQueryView, QueryLine
from equipoise.desk.views import (
    Cell,
    ChecklistView,
    CriterionView,
    DerivedView,
    FormView,
    HistoryRow,
    ItemView,
    MatrixRow,
    Option,
    Outcome,
    Persona,
    QueryView,
    RandomizeView,
    Step,
    SubjectRow,
    SubjectView,
    Task,
    TodayView,
    VisitColumn,
)
from equipoise.instruments.load import scale
from equipoise.ledger.entries import Datum
from equipoise.protocol.study import Study
from equipoise.words.codelists import MISSING
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

NUMBER = "01007"
VISITS = (("V1", "Screening", "筛选访视"), ("V2", "Baseline", "基线"), ("V3", "Month 3", "第3个月"))
NIHSS = scale("NIHSS")
STUDY = Study.model_validate(
    {
        "notation": 1,
        "id": "sample",
        "version": "1",
        "dated": "2026",
        "title": {"en": "A sample study", "zh": "示例研究"},
        "consent": {
            "versions": [{"id": "1.0", "dated": "2026-01-05", "label": {"en": "First", "zh": "第一版"}}]
        },
        "sites": [{"id": "01", "name": {"en": "Shanghai", "zh": "上海"}, "zone": "Asia/Shanghai"}],
        "registry": {"registry": "ClinicalTrials.gov", "identifier": "NCT00000000"},
    }
)
CODES = tuple(Option(code, MISSING[code], missing=True) for code in ("ND", "UK", "NA", "RF"))
UNTESTABLE = Option("UN", MISSING["UN"], key="u", missing=True)


@dataclass(frozen=True)
class Screened:
    """As the desk answers to screening."""

    outcome: Outcome
    number: str | None = None


def nihss_items() -> tuple[ItemView, ...]:
    """The fifteen items and, before them, a date, a number, a text and a kept item."""
    own = [
        item("DAT", "date", "Date of assessment", "评估日期"),
        item("WEIGHT", "number", "Weight", "体重", unit="kg"),
        item("NOTE", "text", "Remarks", "备注"),
        replace(item("PREP", "text", "Looks of the bag", "输注袋外观"), revealing=True),
    ]
    scored = [
        ItemView(
            id=one.testcd,
            number=one.id,
            label=one.label,
            control="choice",
            section=NIHSS.sections.get(one.section),
            help=None,
            unit=None,
            options=tuple(Option(str(each.score), each.label, key=str(each.score)) for each in one.options),
            missing=(*CODES, *((UNTESTABLE,) if one.untestable else ())),
            value=Datum(),
            shown=None,
            required=True,
            visible=True,
            revealing=False,
            changed=False,
            needs_why=("UN",) if one.untestable else (),
        )
        for one in NIHSS.items
    ]
    return (*own, *scored)


def item(name: str, control: str, en: str, zh: str, unit: str | None = None) -> ItemView:
    """An own item of the form."""
    return ItemView(
        id=name, number="", label=Text(en, zh), control=control, section=None, help=None, unit=unit, options=(),
        missing=CODES, value=Datum(), shown=None, required=False, visible=True, revealing=False, changed=False,
    )  # type: ignore[arg-type]  # fmt: skip


def shown(datum: Datum) -> Text | None:
    """A datum in words."""
    said = datum.value or datum.missing
    return Text(said) if said else None


@dataclass
class FakeDesk:
    """The desk of the samples."""

    purpose: str = "rehearsal"
    study: Study = STUDY
    values: dict[str, Datum] = field(default_factory=dict)
    seqs: dict[str, int] = field(default_factory=dict)
    seq: int = 0
    complete: bool = False
    ever_complete: bool = False
    randomized: bool = False
    queries: dict[str, QueryView] = field(default_factory=dict)
    rows: list[HistoryRow] = field(default_factory=list)
    done: dict[str, Outcome] = field(default_factory=dict)
    commands: list[object] = field(default_factory=list)
    besides: list[Beside] = field(default_factory=list)
    answers_with: tuple[Problem, ...] = ()
    raises: Exception | None = None
    people: int = 1

    def study_of(self, number: str) -> Study:
        return self.study

    def number_of_participants(self) -> int:
        return self.people

    def personas(self) -> Sequence[Persona]:
        return (
            Persona("u-crc", Text("Liu Yan", "刘燕"), "coordinator", "01", "blinded", "web.whose-day-tip"),
            Persona(
                "u-inv", Text("Dr Zhao Min", "赵敏"), "investigator", "01", "blinded", "web.whose-day-tip"
            ),
            Persona("u-mon", Text("Wang Lei", "王磊"), "monitor", None, "blinded", "web.whose-day-tip"),
        )

    def who(self, actor: str, role: str) -> Who | None:
        held = {(one.user, one.role): one.site for one in self.personas()}
        if (actor, role) not in held:
            return None
        return Who(actor, role, (Grant(role, held[actor, role]),))

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 8, 14, 1, 41, 7, tzinfo=dt.UTC)

    def submit(self, who: Who, command: object, *, key: str, client_at: str | None = None) -> Outcome:
        if self.raises:
            raise self.raises
        if self.answers_with:
            return Outcome(False, self.answers_with)
        if key in self.done:
            return replace(self.done[key], replayed=True)
        self.commands.append(command)
        refused: tuple[Problem, ...] = ()
        if isinstance(command, RecordForm):
            refused = self._record(who, command)
        elif isinstance(command, AnswerQuery):
            query = self.queries[command.query]
            self.queries[command.query] = replace(query, state="ANSWERED", answer=command.answer)
        elif isinstance(command, CloseQuery):
            self.queries[command.query] = replace(self.queries[command.query], state="CLOSED")
        elif isinstance(command, RaiseQuery):
            self.ask(command.item, Text(command.text))
        if refused:
            return Outcome(False, refused)
        self.seq += 1
        self.done[key] = Outcome(True, seq=self.seq, at="2026-08-14T01:41:07.000000Z")
        return self.done[key]

    def ask(self, item_id: str, message: Text) -> None:
        """Hang a query on an item."""
        name = f"q{len(self.queries) + 1}"
        self.queries[name] = QueryView(name, item_id, "OPEN", message, "2026-08-12T00:00:00Z", 2)

    def _record(self, who: Who, command: RecordForm) -> tuple[Problem, ...]:
        stale = [
            name
            for name, now in command.items.items()
            if self.seqs.get(name, 0) > command.base and self.values.get(name, Datum()) != now
        ]
        if stale:
            return tuple(problem("capture.stale", name, item=name, value="?") for name in stale)
        if any(datum.value == "999" for datum in command.items.values()):
            name = next(name for name, datum in command.items.items() if datum.value == "999")
            return (problem("capture.not-a-number", name, item=name, value="999"),)
        lacking = [
            one.id for one in nihss_items() if one.required and one.id not in {**self.values, **command.items}
        ]
        if command.complete and lacking:
            return tuple(problem("capture.incomplete", name, item=name) for name in lacking)
        changed = {
            name: datum for name, datum in command.items.items() if self.values.get(name, Datum()) != datum
        }
        if self.ever_complete and changed and not command.reason:
            return (problem("capture.reason-required", next(iter(changed))),)
        if not changed and not (command.complete and not self.complete):
            return (problem("capture.nothing-changed"),)
        for name, datum in changed.items():
            old, new = self.values.get(name, Datum()), datum
            self.rows.insert(0, self._row(who, name, old, new, command.reason or ""))
            self.values[name], self.seqs[name] = datum, self.seq + 1
        self.complete = self.complete or bool(command.complete)
        self.ever_complete = self.ever_complete or self.complete
        return ()

    def _row(self, who: Who, name: str, old: Datum, new: Datum, reason: str) -> HistoryRow:
        label = next(one.label for one in nihss_items() if one.id == name)
        return HistoryRow(
            name, label, shown(old), shown(new), "Liu Yan", who.role,
            "2026-08-14T01:41:07.000000Z", "2026-08-14 09:41:07 Asia/Shanghai", reason, self.seq + 1, "ab" * 32,
        )  # fmt: skip

    def today(self, who: Who) -> TodayView | None:
        tasks = (
            Task("query_open", "web.open-queries", {}, NUMBER, ("V2", "NIHSS"), "2026-08-12"),
            Task("ready_to_randomize", "web.randomize-now", {}, NUMBER),
        )
        return TodayView(1, 1 if self.randomized else 0, 86, len(self.queries), tasks)

    def subjects(
        self, who: Who, *, begins: str = "", after: str = "", limit: int | None = None
    ) -> Sequence[SubjectRow] | None:
        one = SubjectRow(NUMBER, "01", "SCREENING", None, "2026-08-01", 1, 3, 12)
        every = [replace(one, number=f"{int(NUMBER) + step:05d}") for step in range(self.people)]
        return [row for row in every if row.number.startswith(begins) and row.number > after][:limit]

    def number_of_subjects(self, who: Who) -> int:
        return self.people

    def subject_id(self, number: str) -> str | None:
        return "s-1" if number == NUMBER else None

    def subject(self, who: Who, number: str) -> SubjectView | None:
        if number != NUMBER:
            return None
        columns = tuple(
            VisitColumn(name, Text(en, zh), "2026-08-01" if name == "V1" else None, None,
                        ("2026-10-26", "2026-11-09") if name == "V3" else None, name == "V2")
            for name, en, zh in VISITS
        )  # fmt: skip
        answered = sum(1 for one in nihss_items() if one.id in self.values)
        state = "complete" if self.complete else "in_progress" if answered else "due"
        flag = "open" if any(one.state == "OPEN" for one in self.queries.values()) else None
        cells = (
            Cell("V1", "NIHSS", "complete", None, 15, 15),
            Cell("V2", "NIHSS", state, flag, answered, 15),
            Cell("V3", "NIHSS", "not_started", None, 0, 15),
        )  # type: ignore[arg-type]
        other = (
            Cell("V1", "DM", "in_progress", "answered", 3, 9),
            Cell("V2", "DM", "not_planned", None, 0, 0),
        )
        rows = (
            MatrixRow("DM", Text("Demographics", "人口学资料"), other),
            MatrixRow("NIHSS", Text("NIHSS", "NIHSS评分"), cells),
        )
        return SubjectView(
            NUMBER, "01", Text("Shanghai", "上海"), "RANDOMIZED" if self.randomized else "ELIGIBLE",
            "R-0031" if self.randomized else None, None, "in_force", "ELIGIBLE", True, (), columns, rows,
            (), frozenset({"DateVisit", "RecordConsent", "RecordCapacity", "WithdrawConsent"}),
        )  # fmt: skip

    def grid(self, who: Who, number: str, visit: str, form: str) -> None:
        return None

    def log(self, who: Who, number: str, form: str) -> None:
        return None

    def ranges(self, who: Who, site: str) -> None:
        return None

    def event_offer(self, who: Who, number: str, visit: str, form: str, repeat: int, item: str) -> None:
        return None

    def save(
        self, who: Who, command: RecordForm, number: str, *, key: str, client_at: str | None = None
    ) -> tuple[Outcome, FormView | None]:
        outcome = self.submit(who, command, key=key, client_at=client_at)
        return outcome, self.form(who, number, command.visit, command.form, command.repeat)

    def form(self, who: Who, number: str, visit: str, form: str, repeat: int = 1) -> FormView | None:
        if number != NUMBER or form != "NIHSS":
            return None
        items = tuple(
            replace(
                one,
                value=self.values.get(one.id, Datum()),
                changed=one.id in self.seqs,
                queries=tuple(query for query in self.queries.values() if query.item == one.id),
            )
            for one in nihss_items()
        )
        missing = tuple(one.id for one in items if one.required and one.value == Datum())
        return FormView(
            "s-1", visit, Text("Baseline", "基线"), form, Text("NIHSS", "NIHSS评分"), repeat,
            "complete" if self.complete else "in_progress" if self.values else "not_started", self.seq, items,
            (self._total(missing),), (), missing, who.role in ("coordinator", "investigator"), self.ever_complete,
            next=("V2", "MRS"),
        )  # fmt: skip

    def _total(self, missing: tuple[str, ...]) -> DerivedView:
        scores = [
            int(datum.value) for name, datum in self.values.items() if name.startswith("NIH") and datum.value
        ]
        untestable = tuple(name for name, datum in self.values.items() if datum.missing == "UN")
        highest = sum(max(one.scores) for one in NIHSS.items if one.testcd in (*missing, *untestable))
        bounds = (str(sum(scores)), str(sum(scores) + highest))
        value = None if missing else str(sum(scores))
        return DerivedView(
            "total", Text("NIHSS total", "NIHSS总分"), value, bounds, "42", missing, untestable
        )

    def _line(self, query: QueryView, who: Who) -> QueryLine:
        acts = {"OPEN": ("answer",), "ANSWERED": ("close", "reopen")}.get(query.state, ())
        label = next(one.label for one in nihss_items() if one.id == query.item)
        may = {"answer"} if who.role in ("coordinator", "investigator") else {"close", "reopen"}
        return QueryLine(
            query.id, NUMBER, "01", ("V2", "NIHSS", 1), query.item, Text("Baseline", "基线"), Text("NIHSS", "NIHSS评分"),
            label, shown(self.values.get(query.item, Datum())), query.state, "manual", query.message, "Wang Lei",
            Text("Monitor", "监查员"), "2026-08-12 08:00", query.age_days, (), tuple(act for act in acts if act in may),
            f"2026-08-12T00:00:00Z~s-1~{query.id}",
        )  # fmt: skip

    def inbox(self, who: Who, filters: Filters, after: str = "", before: str = "") -> InboxView | None:
        lines = tuple(
            self._line(one, who) for one in self.queries.values() if one.state in STATES[filters.state]
        )
        counts = {
            name: sum(one.state in states for one in self.queries.values()) for name, states in STATES.items()
        }
        return InboxView(lines, counts, filters, "", "", ("01",), (("NIHSS", Text("NIHSS", "NIHSS评分")),))

    def one_query(self, who: Who, number: str, query: str, filters: Filters) -> OneQueryView | None:
        if number != NUMBER or query not in self.queries:
            return None
        names = [
            name for name, one in self.queries.items() if one.state in STATES[filters.state] or name == query
        ]
        place = names.index(query)
        before = (NUMBER, names[place - 1]) if place else None
        following = (NUMBER, names[place + 1]) if place + 1 < len(names) else None
        return OneQueryView(self._line(self.queries[query], who), before, following)

    def history(
        self, who: Who, number: str, visit: str, form: str, repeat: int, item_id: str | None = None
    ) -> Sequence[HistoryRow] | None:
        return [row for row in self.rows if item_id in (None, row.item)]

    def consents(self, who: Who, number: str) -> ConsentView | None:
        if number != "01007":
            return None
        version = VersionLine("1.0", "2026-01-15", Text("First", "第一版"), "2026-02-01", required=True)
        line = ConsentLine("ConsentDocumented", "2026-08-01", "09:30", "PARTICIPANT", "1.0", True, None,
                           {"explained": "Liu Yan"}, "2026-08-01T02:00:00.000000Z", "Liu Yan")  # fmt: skip
        can = {"RecordConsent", "RecordCapacity", "WithdrawConsent", "AnswerOption", "RecordCaregiver"}
        return ConsentView(
            number, "01", "Asia/Shanghai", "IN_FORCE", True, "1.0", "HAS", "VERSION", "2026-09-01", False, ("samples",),
            (version,), (OptionLine("SAMPLES", Text("Samples", "样本"), True),), (CaregiverLine("c1", "赵", True, "2026-08-01"),),
            True, True, (("u-crc", "Liu Yan"),), (line,), frozenset(can if who.role == "coordinator" else ()),
        )  # fmt: skip

    def record_consent(self, who: Who, command: object, beside: Beside, *, key: str) -> Outcome:
        self.besides.append(beside)
        return self.submit(who, command, key=key)

    def checklist(self, who: Who, number: str) -> ChecklistView | None:
        if number != NUMBER:
            return None
        criteria = (
            CriterionView("I01", "inclusion", Text("Age 18 to 70", "年龄18至70岁"), "T", True, Text(""), ()),
            CriterionView("E04", "exclusion", Text("Severe kidney disease", "严重肾病"), "T", False,
                          Text("Recorded as present.", "已记录存在。"), (Text("E04 is true", "E04为真"),)),
            CriterionView("E05", "exclusion", Text("Only in English"), "U", None,
                          Text("Not recorded yet.", "尚未记录。"), ()),
        )  # fmt: skip
        return ChecklistView(NUMBER, criteria, "INELIGIBLE", False, ("8", "12"), "in_force", "HAS",
                             frozenset({"FailScreening"}))  # fmt: skip

    def randomization(self, who: Who, number: str) -> RandomizeView | None:
        if number != NUMBER:
            return None
        done = tuple(Step(name, "done") for name in ("consent", "eligibility"))
        blocked = Step("stratum", "blocked", (problem("web.confirm-identity"),))
        steps = (Step("identity", "open"), *done, blocked, Step("randomize", "open"))
        number_given = "R-0031" if self.randomized else None
        return RandomizeView(NUMBER, None, steps, number_given, "2026-08-14T01:41:07.000000Z", True)  # type: ignore[arg-type]

    def screen(self, who: Who, site: str, identity: IdentityInput, *, key: str) -> Screened:
        if not identity.name:
            return Screened(Outcome(False, (problem("desk.name-missing", "name"),)))
        return Screened(Outcome(True), NUMBER)
