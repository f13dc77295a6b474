"""The pages of both doors that are looked at, each as the person who works at it: role or purpose, and address.

`{name}` in an address is what `filled.py` (first door) or `filled_second.py` (second door) says under that name. Numbers
are those that the demonstration gives: site 01, in the order in which its people were screened.
Every GET address of the two lists of addresses stands here, or in ELSEWHERE with its reason
(tests/rooms/web/test_every_page_is_looked_at.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

FIRST: Mapping[str, tuple[str, str]] = {
    "chooser": ("coordinator", ""),
    "sign-in": ("coordinator", "login"),
    "public page": ("coordinator", "trial"),
    "today": ("coordinator", "today"),
    "today of a monitor": ("monitor", "today"),
    "today of an investigator": ("investigator", "today"),
    "today of a data manager": ("data_manager", "today"),
    "today of a sponsor": ("sponsor", "today"),
    "today of an inspector": ("inspector", "today"),
    "today of an administrator": ("administrator", "today"),
    "subjects": ("coordinator", "subjects"),
    "new participant": ("coordinator", "subjects/new"),
    "casebook": ("coordinator", "subjects/01001"),
    "casebook in screening": ("coordinator", "subjects/01004"),
    "casebook of a rater": ("rater", "subjects/01001"),
    "consent": ("coordinator", "subjects/01004/consent"),
    "eligibility": ("coordinator", "subjects/01004/eligibility"),
    "randomize": ("coordinator", "subjects/01004/randomize"),
    "randomized": ("coordinator", "subjects/01001/randomize"),
    "scale": ("coordinator", "subjects/01004/forms/V2/NIHSS"),
    "scale of a rater": ("rater", "subjects/01004/forms/V1/NIHSS"),
    "complete scale": ("coordinator", "subjects/01001/forms/V1/NIHSS"),
    "plain form": ("coordinator", "subjects/01004/forms/V1/STROKE"),
    "unfinished form": ("coordinator", "subjects/01001/forms/V2/BI"),
    "kept items": ("coordinator", "subjects/01001/forms/V2/PREP"),
    "form with a query": ("coordinator", "subjects/01001/forms/V3/VS"),
    "history": ("coordinator", "subjects/01001/forms/V1/NIHSS/history"),
    "history of a row": ("coordinator", "subjects/01001/forms/LOG/CM/1/history"),
    "queries": ("coordinator", "queries"),
    "inbox of a monitor": ("monitor", "queries"),
    "one query": ("coordinator", "queries/01001/{query}"),
    "why a query was raised": ("coordinator", "queries/01001/{query}/why"),
    "doses due": ("coordinator", "due"),
    "visits": ("coordinator", "subjects/01001/visits"),
    "visits due": ("coordinator", "visits"),
    "visit": ("coordinator", "subjects/01001/visits/V6"),
    "visit by number": ("coordinator", "subjects/01001/visits/V6/1"),
    "deviations": ("coordinator", "subjects/01001/deviations"),
    "log of deviations": ("coordinator", "deviations"),
    "log of deviations to class": ("data_manager", "deviations"),
    "infusion": ("coordinator", "subjects/01001/infusion"),
    "running list": ("coordinator", "subjects/01001/logs/CM"),
    "row of a list": ("coordinator", "subjects/01001/forms/LOG/CM/1"),
    "adverse event": ("coordinator", "subjects/01001/forms/LOG/AE/1"),
    "new event from a value": ("coordinator", "subjects/01001/events/new?of=V1/LBHEM/1/HGB"),
    "laboratory": ("coordinator", "subjects/01001/forms/V3/LBHEM"),
    "reference ranges": ("coordinator", "sites/01/ranges"),
    "serial vital signs": ("coordinator", "subjects/01001/grids/V2/INFVS"),
    "participants by visits": ("coordinator", "subjects/matrix"),
    "enrolment": ("coordinator", "enrolment"),
    "forms on paper": ("coordinator", "papers"),
    "double entry": ("coordinator", "subjects/01001/double/V4/BGP/1"),
    "double entries": ("coordinator", "double"),
    "scans": ("coordinator", "subjects/01001/sources/V1/DM/1"),
    "specimens": ("coordinator", "subjects/01001/specimens"),
    "shipments": ("coordinator", "shipments"),
    "shipment": ("coordinator", "shipments/{shipment}"),
    "shipment that arrives": ("data_manager", "shipments/{shipment}"),
    "results of a laboratory": ("data_manager", "results"),
    "imaging": ("coordinator", "subjects/01001/imaging"),
    "diaries": ("coordinator", "diaries"),
    "diaries of a data manager": ("data_manager", "diaries"),
    "diary": ("coordinator", "subjects/01001/diary"),
    "phones of a diary": ("coordinator", "subjects/01001/diary/phones"),
    "period of a diary": ("coordinator", "subjects/01001/diary/periods/DAILY/{diary_day}"),
    "entry of a diary": ("investigator", "subjects/01001/diary/entries/{diary_entry}"),
    "diary read out": ("coordinator", "subjects/01001/diary/interviews/DAILY"),
    "reads": ("reader", "reads"),
    "one read": ("reader", "reads/{read}"),
    "signatures": ("investigator", "signatures"),
    "casebook to sign": ("investigator", "signatures/01001"),
    "verification": ("monitor", "verification"),
    "form to verify": ("monitor", "verification/01001/V1/DM/1"),
    "form to review": ("data_manager", "verification/01001/V1/DM/1"),
    "what is frozen": ("data_manager", "subjects/01001/closing"),
    "lock": ("data_manager", "lock"),
    "what a line of the checklist counts": ("data_manager", "lock/incomplete"),
    "cards that the lock waits for": ("data_manager", "lock/cards"),
    "blind of a participant": ("investigator", "subjects/01001/blind"),
    "asking for a code": ("investigator", "subjects/01001/unblind"),
    "code asked for": ("investigator", "subjects/01001/unblind/{asked}"),
    "drill": ("investigator", "drills/01"),
    "drill asked for": ("investigator", "drills/01/{drilled}"),
    "who knows": ("inspector", "knowledge"),
    "release": ("data_manager", "release"),
    "amendments": ("data_manager", "amendments"),
    "moves to a version": ("data_manager", "amendments/moves"),
    "versions of the consent form": ("data_manager", "amendments/consent"),
    "own password": ("coordinator", "password"),
    "listing": ("data_manager", "listing"),
    "audit trail": ("inspector", "audit"),
    "readers of images": ("monitor", "readers"),
    "sites with staff": ("inspector", "staff"),
    "staff": ("investigator", "staff/01"),
    "access map": ("inspector", "access"),
    "access of a person": ("inspector", "access/{person}"),
    "accounts": ("administrator", "accounts"),
    "the past": ("monitor", "subjects/01001?asof=2026-11-10T12:00"),
    "not found": ("coordinator", "subjects/99999"),
}
SECOND: Mapping[str, tuple[str, str]] = {
    "chooser": ("", ""),
    "sign-in": ("", "login"),
    "purposes of one person": ("phar", "purpose"),
    "own password": ("KEEPER", "password"),
    "work of the keeper": ("KEEPER", "work"),
    "who may sign in": ("KEEPER", "people"),
    "code breaks": ("KEEPER", "breaks"),
    "definition and backups": ("KEEPER", "definition"),
    "work of an officer": ("OFFICER", "work"),
    "work of the board's statistician": ("BOARD", "work"),
    "closed work": ("BOARD", "closed"),
    "codes asked for": ("BREAK", "break"),
    "open one code": ("BREAK", "break/{asked}"),
    "one-time code": ("", "third"),
    "doses to prepare": ("BENCH", "bench"),
    "doses to check": ("CHECK", "bench"),
    "one dose": ("BENCH", "bench/{request}"),
    "stock": ("BENCH", "stock"),
    "lot": ("BENCH", "stock/lots/LOT-A"),
    "new lot": ("BENCH", "stock/receive-lot"),
    "shipment": ("BENCH", "stock/shipments/S1"),
    "new shipment": ("BENCH", "stock/receive-shipment"),
    "accountability": ("BENCH", "stock/accountability"),
    "final release": ("OFFICER", "release"),
    "revealing values": ("LAB", "values"),
    "values of a participant": ("LAB", "values/S-subject1"),
    "form of values": ("LAB", "values/S-subject1/V2/IMMUN"),
    "form of values by number": ("LAB", "values/S-subject1/V2/IMMUN/1"),
    "history of values": ("LAB", "values/S-subject1/V2/IMMUN/history"),
    "history of values by number": ("LAB", "values/S-subject1/V2/IMMUN/1/history"),
    "results of a laboratory": ("LAB", "values/results"),
    "not found": ("KEEPER", "nowhere"),
}

ELSEWHERE: Mapping[str, str] = {
    "first enrolment.svg": "a picture inside the page enrolment",
    "first deviations.csv": "a file",
    "first papers/crf.pdf": "a document",
    "first subjects/<str:number>/casebook.pdf": "a document",
    "first subjects/<str:number>/blind.pdf": "a document",
    "first subjects/<str:number>/sources/<str:visit>/<str:form>/<int:repeat>/<str:wanted>": "a file",
    "first subjects/<str:number>/specimens/<str:wanted>.pdf": "a document",
    "first shipments/<str:name>/manifest.pdf": "a document",
    "first shipments/<str:name>/manifest.csv": "a file",
    "first subjects/<str:number>/diary/card.pdf": "a document",
    "first subjects/<str:number>/diary/phones/<str:holder>.ics": "a file",
    "first diary/": "the phone's page, which is looked at in test_phone.py",
    "first diary/<path:name>": "its files",
    "first rehearsal": "only of a rehearsal in play: tests/browser/test_time_moved_on.py",
    "first rehearsal/time": "the same",
    "first rehearsal/report/<path:name>": "a file, looked at in test_report_page.py",
    "second factor": "of trials only, where these pages are of a rehearsal: test_second_factor_pages.py",
    "second factor/set-up": "the same",
    "second print/accountability.pdf": "a document",
    "second print/label/<str:bag>.pdf": "a document",
    "second print/request/<str:wanted>.pdf": "a document",
}
"""Addresses that answer GET and are not looked at as pages: the door and the pattern, and why."""


def pattern(route: str) -> re.Pattern[str]:
    """What addresses a route of Django's answers."""
    parts = re.split(r"<(\w+):\w+>", route)
    inside = {"str": "[^/]+", "int": "[0-9]+", "path": ".+"}
    return re.compile(
        "".join(inside[part] if place % 2 else re.escape(part) for place, part in enumerate(parts))
    )


def not_looked_at(door: str, routes: Iterable[str], pages: Mapping[str, tuple[str, str]]) -> set[str]:
    """The routes that no page's address leads to: the first route that fits an address answers it."""
    order = list(routes)
    answered = {
        next((route for route in order if pattern(route).fullmatch(re.sub(r"\?.*", "", address))), "")
        for _, address in pages.values()
    }
    return {f"{door} {route}" for route in order if route not in answered}
