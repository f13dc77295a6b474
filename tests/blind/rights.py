"""Who may succeed with which address, and which commands of the terminal are played: one line for each.

This table is written by hand from what the program is meant to do, and checked against what it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Right:
    """What an address asks for: one of the words to read and, for a change, one of the commands. Or nothing.

    chosen: for roles that the role chooser offers.
    """

    reads: frozenset[str] = frozenset()
    commands: frozenset[str] = frozenset()
    everybody: bool = False
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the terminal: arguments that succeed (tried in this order), arguments that are refused, what is typed.

    outside: why it is not played.
    """

    succeed: tuple[tuple[str, ...], ...] = ()
    refuse: tuple[tuple[str, ...], ...] = ()
    typed: str = ""
    outside: str = ""
    finally_: bool = field(default=False)


def _reads(*words: str) -> Right:
    return Right(frozenset(words))


def _does(*commands: str, reads: str = "") -> Right:
    return Right(frozenset({reads} if reads else ()), frozenset(commands))


_ALL = Right(everybody=True)
_SUBJECT = "/subjects/<str:number>"
_FORM = f"{_SUBJECT}/forms/<str:visit>/<str:form>"
_SCANS = f"{_SUBJECT}/sources/<str:visit>/<str:form>/<int:repeat>"
_SAVES = _does("RecordForm", "RaiseQuery", "CloseQuery", reads="casebook")

WEB: Mapping[str, Right] = {
    "GET /": _ALL,
    "GET /trial": _ALL,
    "HEAD /trial": _ALL,
    "POST /enter": Right(everybody=True, chosen=True),
    "GET /diary/": _ALL,
    "GET /diary/<path:name>": _ALL,
    "POST /diary/card": _ALL,
    "POST /diary/enrol": _ALL,
    "POST /diary/intake": _ALL,
    "GET /login": _ALL,
    "POST /login": _ALL,
    "POST /logout": _ALL,
    "POST /language": _ALL,
    "GET /password": _ALL,
    "POST /password": _ALL,
    **dict.fromkeys(
        ("GET /rehearsal", "POST /rehearsal/on", "GET /rehearsal/time", "GET /rehearsal/report/<path:name>"),
        _reads(
            "nobody"
        ),  # only where somebody plays the rehearsal on, which the stores of the proof have not
    ),
    "GET /today": _reads("today", "reads"),  # who only reads images is led to the reads
    "GET /queries": _reads("queries"),
    "GET /queries/<str:number>/<str:query>": _reads("queries"),
    "GET /signatures": _reads("signatures"),
    "POST /signatures": _does("SignForms", reads="signatures"),
    "GET /signatures/<str:number>": _reads("signatures"),
    "GET /verification": _reads("verification"),
    "GET /verification/<str:number>/<str:visit>/<str:form>/<int:repeat>": _reads("verification"),
    "POST /verification/<str:number>/<str:visit>/<str:form>/<int:repeat>": _does(
        "VerifyItems", "ReviewForm", reads="verification"
    ),
    "GET /lock": _reads("lock"),
    "POST /lock": _does(
        *(
            "RecordLockCondition",
            "ProposeDatabaseLock",
            "LockDatabase",
            "ProposeDatabaseUnlock",
            "UnlockDatabase",
        ),
        reads="lock",
    ),
    "GET /lock/<str:line>": _reads("lock"),
    f"GET {_SUBJECT}/closing": _reads("lock"),
    f"POST {_SUBJECT}/closing": _does("FreezeData", "UnfreezeData", "LockData", "UnlockData", reads="lock"),
    "POST /queries/<str:number>/<str:query>": _does("AnswerQuery", "CloseQuery", reads="queries"),
    "GET /subjects": _reads("subjects"),
    "GET /subjects/new": _ALL,
    "GET /subjects/matrix": _reads("casebook"),
    "POST /subjects/new": _does("ScreenSubject"),
    f"GET {_SUBJECT}": _reads("casebook"),
    "GET /deviations": _reads("deviations"),
    "POST /deviations": _does("ClassDeviation", reads="deviations"),
    "GET /deviations.csv": _reads("deviations"),
    f"GET {_SUBJECT}/deviations": _reads("deviations"),
    f"POST {_SUBJECT}/deviations": _does("RaiseDeviation", "ExplainDeviation", reads="deviations"),
    "GET /visits": _reads("casebook"),
    f"GET {_SUBJECT}/visits": _reads("casebook"),
    f"POST {_SUBJECT}/visits": _does("DateVisit", reads="casebook"),
    f"GET {_SUBJECT}/visits/<str:visit>": _reads("casebook"),
    f"GET {_SUBJECT}/visits/<str:visit>/<int:repeat>": _reads("casebook"),
    f"GET {_SUBJECT}/consent": _reads("casebook"),
    f"POST {_SUBJECT}/consent": _does("RecordConsent", "RecordCapacity", reads="casebook"),
    f"GET {_SUBJECT}/eligibility": _reads("eligibility"),
    f"POST {_SUBJECT}/eligibility": _does("ConfirmEligibility", "FailScreening", reads="eligibility"),
    f"GET {_SUBJECT}/randomize": _reads("randomization"),
    f"POST {_SUBJECT}/randomize": _does("Randomize", reads="randomization"),
    f"GET {_FORM}": _reads("casebook"),
    f"POST {_FORM}": _SAVES,
    f"GET {_FORM}/history": _reads("history"),
    f"GET {_FORM}/<int:repeat>": _reads("casebook"),
    f"POST {_FORM}/<int:repeat>": _SAVES,
    f"GET {_FORM}/<int:repeat>/history": _reads("history"),
    "GET /papers": _ALL,
    "GET /papers/crf.pdf": _ALL,
    # the diary, at the site
    "GET /diaries": _reads("diary"),
    "POST /diaries": _does("RecordInterruption", reads="diary"),
    f"GET {_SUBJECT}/diary": _reads("diary"),
    f"POST {_SUBJECT}/diary": _does("ReviewDiary", "HandleDiaryFlag", reads="diary"),
    f"GET {_SUBJECT}/diary/periods/<str:form>/<str:day>": _reads("diary"),
    f"POST {_SUBJECT}/diary/periods/<str:form>/<str:day>": _does("ExplainDiaryGap", reads="diary"),
    f"GET {_SUBJECT}/diary/entries/<str:packet>": _reads("diary"),
    f"POST {_SUBJECT}/diary/entries/<str:packet>": _does(
        "LinkDiaryEntry", "HandleDiaryFlag", "DecideDiaryChange", reads="diary"
    ),
    f"GET {_SUBJECT}/diary/phones": _reads("diary"),
    f"POST {_SUBJECT}/diary/phones": _does("InviteDevice", "RevokeDevice", "SetDiaryReminder", reads="diary"),
    f"GET {_SUBJECT}/diary/phones/<str:holder>.ics": _reads("diary"),
    f"GET {_SUBJECT}/diary/card.pdf": _reads("diary"),
    f"GET {_SUBJECT}/diary/interviews/<str:form>": _does("RecordDiaryInterview", reads="diary"),
    f"POST {_SUBJECT}/diary/interviews/<str:form>": _does("RecordDiaryInterview", reads="diary"),
    # imaging
    f"GET {_SUBJECT}/imaging": _reads("imaging"),
    f"POST {_SUBJECT}/imaging": _does("OrderImaging", "OpenReading", reads="imaging"),
    "GET /reads": _reads("reads"),
    "GET /reads/<str:name>": _reads("reads"),
    "POST /reads/<str:name>": _does("ScoreReading", reads="reads"),
    "GET /readers": _reads("readers"),
    "POST /readers": _does("RecordCertificate", "WithdrawCertificate", reads="readers"),
    # specimens
    f"GET {_SUBJECT}/specimens": _reads("specimens"),
    f"POST {_SUBJECT}/specimens": _does("CollectSpecimen", reads="specimens"),
    f"GET {_SUBJECT}/specimens/<str:wanted>.pdf": _reads("specimens"),
    "GET /shipments": _reads("specimens"),
    "POST /shipments": _does("SendShipment", reads="specimens"),
    "GET /shipments/<str:name>": _reads("specimens"),
    "POST /shipments/<str:name>": _does("ReceiveShipment", reads="specimens"),
    "GET /shipments/<str:name>/manifest.pdf": _reads("specimens"),
    "GET /shipments/<str:name>/manifest.csv": _reads("specimens"),
    "GET /results": _reads("results"),
    "POST /results": _does("ImportResults", reads="results"),
    # why a check asked
    "GET /queries/<str:number>/<str:query>/why": _reads("history"),
    # double entry from paper: the forms of this study that are typed twice are never read by who rates
    "GET /double": _reads("casebook"),
    f"GET {_SUBJECT}/double/<str:visit>/<str:form>/<int:repeat>": _reads("supply"),
    f"POST {_SUBJECT}/double/<str:visit>/<str:form>/<int:repeat>": _does(
        "RecordEntry", "SettleEntries", "WithdrawEntries", reads="supply"
    ),
    # scans of paper sources
    f"GET {_SCANS}": _reads("casebook"),
    f"POST {_SCANS}": _does("AttachSource", "WithdrawSource", reads="casebook"),
    f"GET {_SCANS}/<str:wanted>": _reads("casebook"),
    "GET /enrolment": _reads("enrolment"),
    "GET /enrolment.svg": _reads("enrolment"),
    "GET /due": _reads("supply"),
    # reference ranges, and events begun from laboratory values
    "GET /sites/<str:site>/ranges": _reads("casebook"),
    "POST /sites/<str:site>/ranges": _does("RecordRanges", reads="casebook"),
    f"GET {_SUBJECT}/events/new": _does("ReviewLog", reads="casebook"),
    f"POST {_SUBJECT}/events/new": _does("ReviewLog", reads="casebook"),
    # serial measurements as one table: never read by who rates
    f"GET {_SUBJECT}/grids/<str:visit>/<str:form>": _reads("supply"),
    f"POST {_SUBJECT}/grids/<str:visit>/<str:form>": _does("ReviewLog", reads="supply"),
    # running lists
    f"GET {_SUBJECT}/logs/<str:form>": _reads("casebook"),
    f"POST {_SUBJECT}/logs/<str:form>": _does("ReviewLog", "VoidRow", "RestoreRow", reads="casebook"),
    f"GET {_SUBJECT}/infusion": _reads("supply"),
    f"POST {_SUBJECT}/infusion": _does("RequestPreparation", "DecideDosing", reads="supply"),
    f"GET {_SUBJECT}/blind": _reads("code_breaks"),
    f"GET {_SUBJECT}/casebook.pdf": _reads("casebook"),
    f"GET {_SUBJECT}/blind.pdf": _reads("code_breaks"),
    f"POST {_SUBJECT}/blind": _does("ReviewCodeBreak", "AssignRater", reads="code_breaks"),
    f"GET {_SUBJECT}/unblind": _does("RequestCodeBreak"),
    f"POST {_SUBJECT}/unblind": _does("RequestCodeBreak"),
    f"GET {_SUBJECT}/unblind/<str:wanted>": _does("RequestCodeBreak"),
    "GET /drills/<str:site>": _does("RequestCodeBreak"),
    "POST /drills/<str:site>": _does("RequestCodeBreak"),
    "GET /drills/<str:site>/<str:wanted>": _does("RequestCodeBreak"),
    "GET /staff": _reads("people"),
    "GET /accounts": _does("GrantRole"),
    "POST /accounts": _does("GrantRole"),
    "GET /access": _reads("people"),
    "GET /access/<str:user>": _reads("people"),
    "GET /staff/<str:site>": _reads("people"),
    "POST /staff/<str:site>": _does("DelegateDuties", "RecordTraining", reads="people"),
    "GET /knowledge": _reads("knowledge"),
    "GET /release": _reads("release"),
    "POST /release": _does("RecordReleaseCondition", "SignRelease", reads="release"),
}

WEB_OF_AMENDMENTS: Mapping[str, Right] = {
    "GET /amendments": _reads("amendments"),
    "POST /amendments": _does("ApproveVersion", "AdoptVersion", "RaiseFindings", reads="amendments"),
    "GET /amendments/moves": _does("MoveSubject"),
    "POST /amendments/moves": _does("MoveSubject", "MoveForms"),
    "GET /amendments/consent": _reads("amendments"),
    "POST /amendments/consent": _does("ApproveConsentVersion", reads="amendments"),
    "GET /listing": _reads("listing"),
    "POST /listing": _does("AskMany", reads="listing"),
    "GET /audit": _reads("audit"),
    "POST /audit": _does("ReviewAudit", reads="audit"),
}
WEB = {**WEB, **WEB_OF_AMENDMENTS}

_SERVER = "it serves until it is stopped; what it serves is played as the web"
_CEREMONY = (
    "it runs behind the second door, in a process of its own; what it leaves at the first door is played"
)
_REHEARSAL = (
    "it makes both doors of a trial of its own with virtual people, in a new folder, and reads no store"
)
_SECOND = "it runs behind the second door, for its own keepers"
_DEFINITION = "it reads a definition, or cases against it; no store is opened, and no list is known yet"
_TABLE = "it reads a table that somebody gives it; no store is opened"
_STUDY = "study"

TERMINAL: Mapping[str, Command] = {
    "study import": Command(outside=_DEFINITION),
    "study check": Command(outside=_DEFINITION),
    "study assumptions": Command(outside=_DEFINITION),
    "study diff": Command(outside=_DEFINITION),
    "study crf": Command(outside=_DEFINITION),
    "study people": Command(
        outside="it draws made-up people from a definition; no store is opened, and no list is known"
    ),
    "screen": Command(outside=_DEFINITION),
    "simulate": Command(outside=_DEFINITION),
    "fit mmrm": Command(outside=_TABLE),
    "fit ordinal": Command(outside=_TABLE),
    "fit ancova": Command(outside=_TABLE),
    "fit winratio": Command(outside=_TABLE),
    "study impact": Command(
        (("door", "changed"), ("door", "changed", "--json"), ("door", "study")), (("nowhere", "changed"),)
    ),
    "store new": Command(
        tuple(("new-" + str(n), "--study", _STUDY, "--purpose", "rehearsal") for n in range(3)),
        (("door", "--study", _STUDY, "--purpose", "rehearsal"),),
    ),
    "allocation publish": Command(tuple((f"new-{n}", "public") for n in range(3)), (("door", "public"),)),
    "store release": Command(
        tuple((f"new-{n}", "--study", "changed") for n in range(3)), (("door", "--study", "nowhere"),)
    ),
    "store second-door": Command(tuple((f"new-{n}", "ab" * 32) for n in range(3)), (("new-0", "cd" * 32),)),
    "store open-site": Command(
        tuple(("door", "01", "--approval", f"EC-1-{n}", "--on", "2026-02-01") for n in range(3)),
        (("door", "99", "--approval", "EC", "--on", "2026-02-01"),),
    ),
    "store adopt": Command(
        tuple(
            (
                "door",
                "02",
                f"9.{n}",
                "--approval",
                f"EC-9.{n}",
                "--approved-on",
                "2026-06-01",
                "--on",
                f"209{n}-01-01",
            )
            for n in (1, 2, 3)
        ),
        (("door", "02", "8", "--approval", "EC", "--approved-on", "2026-06-01", "--on", "2098-01-01"),),
    ),
    "store move": Command(  # the database is locked by then: nothing moves where there is somebody to move
        (
            ("door", "--site", "03", "--reason", "asked of everybody"),
            ("door", "--site", "03", "--forms", "--reason", "asked of everybody", "--json"),
            ("door", "--site", "03", "--reason", "asked of everybody", "--do", "--key", "move"),
        ),
        (("door", "--reason", "asked of everybody"), ("nowhere", "--reason", "asked of everybody")),
    ),
    "store grant": Command(
        tuple(("door", f"late-{n}", "monitor", "--name", f"Late {n}") for n in range(3)),
        (("door", "late-0", "pharmacist", "--name", "Late 0"),),
    ),
    "store pause": Command(
        tuple((f"new-{n}", "--reason", "a look") for n in range(3)), (("new-0", "--reason", "a look"),)
    ),
    "store resume": Command(
        tuple((f"new-{n}", "--reason", "looked") for n in range(3)), (("new-0", "--reason", "looked"),)
    ),
    "account add": Command(
        tuple(
            ("door", f"late-{n}", "--user", f"late-{n}", "--role", "monitor", "--name", f"Late {n}")
            for n in range(3)
        ),
        (("nowhere", "late-0", "--user", "late-0", "--role", "monitor", "--name", "Late 0"),),
        typed="a long enough password\n",
    ),
    "account close": Command(tuple(("door", f"late-{n}") for n in range(3)), (("door", "nobody"),)),
    "export": Command(
        (
            ("door", "--format", "dataset-json", "-o", "datasets"),
            ("door", "--format", "archive", "-o", "archive-0"),
            ("door", "--format", "archive", "-o", "archive-1", "--json"),
        ),
        (("nowhere", "--format", "archive", "-o", "archive-2"),),
    ),
    "analyse": Command(
        (
            ("door", "--cut", "2026-12-31", "-o", "report-0"),
            ("door", "--cut", "2026-01-01", "-o", "report-1"),
            ("door", "--cut", "2026-01-01", "-o", "report-2", "--json"),
        ),
        (
            ("nowhere", "--cut", "2026-12-31", "-o", "report-3"),
            ("door", "--cut", "2026-12-31", "--treatments", "public/allocation.json", "-o", "report-3"),
        ),
    ),
    "rehearse": Command(outside=_REHEARSAL),
    "ledger verify": Command((("door",), ("door", "--json"), ("archive-0",)), (("nowhere",),)),
    "allocation design": Command(outside=_CEREMONY),
    "allocation make": Command(outside=_CEREMONY),
    "allocation begin": Command(outside=_CEREMONY),
    "allocation commit": Command(outside=_CEREMONY),
    "allocation reveal": Command(outside=_CEREMONY),
    "allocation hold": Command(outside=_CEREMONY),
    "allocation abort": Command(outside=_CEREMONY),
    "allocation status": Command(outside=_CEREMONY),
    "allocation key": Command(outside=_CEREMONY),
    "allocation open": Command(outside=_CEREMONY),
    "allocation verify": Command((("public",), ("public", "--json"), ("public",)), (("nowhere",),)),
    "vault init": Command(outside=_SECOND),
    "vault serve": Command(outside=_SECOND),
    "vault account add": Command(outside=_SECOND),
    "vault account revoke": Command(outside=_SECOND),
    "vault status": Command(outside=_SECOND),
    "vault lists": Command(outside=_SECOND),
    "knowledge": Command((("door",), ("door", "--json"), ("door",)), (("nowhere",),)),
    "queries checks": Command(
        (("door",), ("door", "--since", "9.1", "--json"), ("door", "--open", "--key", "batch")),
        (("nowhere",),),
    ),
    "queries ask": Command(
        (
            ("door", "--form", "RISK"),
            ("door", "--form", "RISK", "--item", "HTN", "--text", "Why?", "--json"),
            ("door", "--form", "RISK", "--item", "HTN", "--text", "Why?", "--open", "--key", "ask"),
        ),
        (("nowhere", "--form", "RISK"),),
    ),
    "vault print cards": Command(outside=_SECOND),
    "vault print certificate": Command(outside=_SECOND),
    "vault print accountability": Command(outside=_SECOND),
    "vault print labels": Command(outside=_SECOND),
    "vault closed": Command(outside=_SECOND),
    "vault release": Command(outside=_SECOND),
    "vault table": Command(outside=_SECOND),
    "vault analyse": Command(outside=_SECOND),
    "vault definition": Command(outside=_SECOND),
    "vault print drill-card": Command(outside=_SECOND),
    "serve": Command(outside=_SERVER),
    "demo": Command(outside=_SERVER),
}
"""Subcommand -> how it is played, after the script has ended, in this order of the program's own table."""
