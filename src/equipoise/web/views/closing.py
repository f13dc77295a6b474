"""Pages of closing: the queue of signatures, verification and review, freeze and lock, the lock of the database.

The rules that must stay true: whoever signs gives user name and password on that very page; several participants' forms
signed in one sitting are several signatures with one proof, and what one of them was refused for says nothing of the
others; nothing is signed or verified that the page did not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.capture.closing.commands import (
    DatabaseCommand,
    FreezeData,
    LockData,
    LockDatabase,
    ProposeDatabaseLock,
    ProposeDatabaseUnlock,
    RecordLockCondition,
    ReviewForm,
    SignForms,
    UnfreezeData,
    UnlockData,
    UnlockDatabase,
    VerifyItems,
)
from equipoise.capture.evolve import Place
from equipoise.desk.closing_views import ShownForm
from equipoise.desk.signing_pages import CasebookView
from equipoise.desk.verification_pages import QueueLine, VerifyView
from equipoise.ledger.entries import SignedPlace
from equipoise.web import problems
from equipoise.web.entry import base_of
from equipoise.web.request import Asked, at_site, desk
from equipoise.web.signing import prove, signs_as_demo
from equipoise.web.views.reading import found, new_key, signed, subject_path
from equipoise.words.canonical import digest
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

LEFT = {
    "incomplete": "closing.line-forms-incomplete",
    "unsigned": "closing.line-forms-unsigned",
    "cards": "closing.line-cards-unsettled",
}
"""List of what a line of the checklist counts -> its title."""
_SCOPES = {"freeze": FreezeData, "unfreeze": UnfreezeData, "lock": LockData, "unlock": UnlockData}
AT_MOST = 200
"""Forms signed in one sitting."""


# --- signatures -------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def signatures(request: Asked, who: Who) -> HttpResponse:
    """The forms that wait for the reader's signature, shown whole; and signing those that are ticked, or a casebook."""
    found(desk().signing(who))
    number = request.POST.get("casebook", "")
    if number:
        return _sign_casebook(request, who, number)
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        done, shown = _sign(request, who, _ticked(request.POST.getlist("sign")[:AT_MOST]), "FORM")
        if not shown:
            return redirect(f"/signatures?done={done}")
    view = found(desk().signing(who, request.GET.get("after", "")))
    marked = [(form, _mark(form)) for form in view.forms]
    wanted = (
        set(request.POST.getlist("sign")) if shown else None
    )  # what was not ticked stays so after a refusal
    context = {
        "view": view,
        "rows": [(form, mark, wanted is None or mark in wanted) for form, mark in marked],
        "more": f"/signatures?after={view.after}" if view.after else "",
        **_sitting(request, shown),
    }
    return render(request, "web/signatures.html", context, status=problems.status_of(shown) if shown else 200)


@require_GET
@signed
def casebook(request: Asked, who: Who, number: str) -> HttpResponse:
    """Everything recorded of one participant, to be signed whole."""
    return _casebook_page(request, found(desk().casebook_signing(who, number)), ())


def _sign_casebook(request: Asked, who: Who, number: str) -> HttpResponse:
    view = found(desk().casebook_signing(who, number))
    if request.POST.get("shown", "") != _all_shown(view):
        whole = Text(number)
        return _casebook_page(request, view, (problem("closing.shown-differs", "shown", place=whole),))
    places = {number: [SignedPlace(*form.place, form.digest) for form in view.forms]}
    done, shown = _sign(request, who, places, "CASEBOOK")
    if not shown:
        return redirect(f"/signatures/{number}?done={done}")
    return _casebook_page(request, found(desk().casebook_signing(who, number)), shown)


def _casebook_page(request: Asked, view: CasebookView, shown: tuple[Problem, ...]) -> HttpResponse:
    context = {
        "view": view,
        "rows": [(form, _signed_key(view.states[form.place])) for form in view.forms],
        "shown": _all_shown(view),
        **_sitting(request, shown),
    }
    return render(
        request, "web/casebook_signing.html", context, status=problems.status_of(shown) if shown else 200
    )


def _all_shown(view: CasebookView) -> str:
    """One digest of everything that the page of a casebook shows."""
    return digest([[*form.place, form.digest] for form in view.forms])


def _sitting(request: Asked, shown: tuple[Problem, ...]) -> dict[str, object]:
    """What every page on which somebody signs needs. `done`: how many forms the sitting before this page signed."""
    done = request.GET.get("done", "")
    return {
        "problems": shown,
        "problem_count": len(shown),
        "wrong": {one.where: one for one in shown if one.where in ("username", "password")},
        "demo": signs_as_demo(request),
        "key": new_key(),
        "done": done if done.isascii() and done.isdigit() and len(done) < 5 else "",
        "at": "signatures",
    }


def _signed_key(state: str) -> str:
    return f"closing.signed-{(state or 'not').lower()}"


def _mark(form: ShownForm) -> str:
    return "~".join((form.number, *map(str, form.place), form.digest))


def _ticked(marks: list[str]) -> dict[str, list[SignedPlace]]:
    """The places that were ticked, by participant."""
    ticked: dict[str, list[SignedPlace]] = {}
    for mark in marks:
        number, _, rest = mark.partition("~")
        parts = rest.split("~")
        if len(parts) == 4 and parts[2].isascii() and parts[2].isdigit():
            ticked.setdefault(number, []).append(SignedPlace(parts[0], parts[1], int(parts[2]), parts[3]))
    return ticked


def _sign(
    request: Asked, who: Who, ticked: Mapping[str, list[SignedPlace]], meaning: Literal["FORM", "CASEBOOK"]
) -> tuple[int, tuple[Problem, ...]]:
    """One signature for each participant, with one proof: how many forms were signed, and what was refused."""
    if not ticked:
        return 0, (problem("closing.nothing-to-sign", "sign"),)
    proof = prove(request, who)
    if isinstance(proof, Problem):
        return 0, (proof,)
    key, done, refused = request.POST.get("key") or new_key(), 0, list[Problem]()
    for number, places in ticked.items():
        command = SignForms(desk().subject_id(number) or "", tuple(places), meaning, proof)
        outcome = desk().submit(who, command, key=f"{key}-{number}"[:128])
        done += len(places) if outcome.accepted else 0
        refused += outcome.problems
    return done, tuple(refused)


# --- verification -----------------------------------------------------------------------------------------------------


@require_GET
@signed
def verification(request: Asked, who: Who) -> HttpResponse:
    """The queue, and how far each site is."""
    site = request.GET.get("site", "")
    view = found(desk().verification(who, site, request.GET.get("after", "")))
    more = f"/verification?site={site}&after={view.after}" if view.after else ""
    context = {
        "view": view,
        "lines": [(line, _verify_path(line), _verified_key(line)) for line in view.lines],
        "coverage": [
            (one, 100 * one.verified // one.planned if one.planned else None) for one in view.coverage
        ],
        "more": more,
        "site": site,
        "did": _said(request),
        "at": "verification",
    }
    return render(request, "web/verification.html", context)


def _verify_path(line: QueueLine) -> str:
    return f"/verification{subject_path(line.number, *line.place).removeprefix('/subjects')}"


def _verified_key(line: QueueLine) -> str:
    return f"closing.verified-{(line.state or 'not').lower()}"


@require_http_methods(["GET", "POST"])
@signed
def verify(request: Asked, who: Who, number: str, visit: str, form: str, repeat: int) -> HttpResponse:
    """One form to compare with its source, or to review."""
    place = Place(visit, form, repeat)
    view = found(desk().verify(who, number, place))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _verify_command(found(desk().subject_id(number)), place, view, request.POST)
        if command is None:
            raise problems.Shown(problem("pages.request-not-understood"))
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            onward = _verify_path(view.next) if view.next is not None else "/verification"
            return redirect(f"{onward}?{urlencode(_did(number, place, command))}")
        shown = outcome.problems
        view = found(desk().verify(who, number, place))
    context = {
        "view": view,
        "rows": [_verify_row(view, row.id, request.POST) | {"row": row} for row in view.shown.rows],
        "next": _verify_path(view.next) if view.next is not None else "",
        "problems": shown,
        "problem_count": len(shown),
        "key": new_key(),
        "form_path": subject_path(number, "forms", visit, form, *((repeat,) if repeat != 1 else ())),
        "did": _said(request) if request.method == "GET" else None,
        "at": "verification",
    }
    return render(request, "web/verify.html", context, status=problems.status_of(shown) if shown else 200)


def _did(number: str, place: Place, command: VerifyItems | ReviewForm) -> dict[str, str]:
    """What the next page says of what was done on this one: of which form, how many items agree, how many do not."""
    counts = (
        {"agree": str(len(command.items)), "differ": str(len(command.exceptions))}
        if isinstance(command, VerifyItems)
        else {}
    )
    return {"did": number, "form": place.form, **counts}


def _said(request: Asked) -> Problem | None:
    """That, read from the address; None where it says nothing of a form that the study has."""
    given = request.GET
    form, counts = (
        desk().study.form(given.get("form", "")),
        [given.get(name, "") for name in ("agree", "differ")],
    )
    if form is None or not given.get("did", "").isalnum():
        return None
    if not all(each.isascii() and each.isdigit() and len(each) < 5 for each in counts):
        return problem("closing.did-review", number=given["did"], form=form.label)
    return problem(
        "closing.did-verify", number=given["did"], form=form.label, agree=counts[0], differ=counts[1]
    )


def _verify_row(view: VerifyView, item: str, posted: Mapping[str, object]) -> dict[str, object]:
    return {
        "verified": item in view.verified,
        "changed": item in view.changed,
        "critical": item in view.critical,
        "typed": posted.get(f"x.{item}", ""),
    }


def _verify_command(
    subject: str, place: Place, view: VerifyView, posted: QueryDict
) -> VerifyItems | ReviewForm | None:
    """All but the exceptions, or only what is ticked; or a review."""
    seen = base_of(posted)
    said = {row.id: str(posted.get(f"x.{row.id}", "")).strip() for row in view.shown.rows}
    exceptions = {item: text for item, text in said.items() if text}
    recorded = [row.id for row in view.shown.rows if row.value is not None and not row.revealing]
    ticked = set(posted.getlist("v"))
    match posted.get("do", ""):
        case "all":
            items = tuple(item for item in recorded if item not in exceptions)
        case "ticked":
            items = tuple(item for item in recorded if item in ticked and item not in exceptions)
        case "review":
            return ReviewForm(subject, *place, seen)
        case _:
            return None
    return VerifyItems(subject, *place, seen, items, exceptions)


# --- freeze and lock --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@signed
def case(request: Asked, who: Who, number: str) -> HttpResponse:
    """What of a participant is frozen or locked, form by form; and changing it."""
    view = found(desk().case_closing(who, number))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        kind = _SCOPES.get(request.POST.get("do", ""))
        parts = request.POST.get("scope", "").split("~")
        if kind is None or len(parts) != 3 or not (parts[2].isascii() and parts[2].isdigit()):
            raise problems.Shown(problem("pages.request-not-understood"))
        reason = (request.POST.get("reason", ""),) if kind in (UnfreezeData, UnlockData) else ()
        command = kind(found(desk().subject_id(number)), parts[0], parts[1], int(parts[2]), *reason)
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect(f"/subjects/{number}/closing")
        shown = outcome.problems
    context = {
        "view": view,
        "lines": [
            {
                "one": line,
                "scope": "~".join(map(str, line.scope)),
                "depth": sum(bool(part) for part in line.scope[:2]),
                "level_key": f"closing.level-{line.level.lower().replace('_', '-')}",
                "state_key": f"closing.signed-{line.state.lower().replace('_', '-')}" if line.state else "",
                "needs_reason": any(act.startswith("un") for act in line.acts),
            }
            for line in view.lines
        ],
        "problems": shown,
        "problem_count": len(shown),
        "key": new_key(),
        "at": "lock",
    }
    return render(
        request, "web/case_closing.html", context, status=problems.status_of(shown) if shown else 200
    )


@require_http_methods(["GET", "POST"])
@signed
def lock(request: Asked, who: Who) -> HttpResponse:
    """The checklist, and the two persons who lock or unlock the database."""
    view = found(desk().lock(who))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        command = _lock_command(request, who)
        if isinstance(command, Problem):
            shown = (command,)
        else:
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect("/lock")
            shown = outcome.problems
        view = found(desk().lock(who))
    context = {
        "view": view,
        "lines": [(line, f"closing.line-{line.id.lower().replace('_', '-')}") for line in view.lines],
        "said": [
            (one, f"closing.condition-{one.id.lower().replace('_', '-')}", at_site(one.at, ""))
            for one in view.said
        ],
        "left": sum(1 for line in view.lines if line.count),
        "only_condition": ("condition",),
        "locked_at": at_site(view.locked_at, ""),
        "proposed_at": at_site(view.proposed[3], "") if view.proposed is not None else "",
        **_sitting(request, shown) | {"at": "lock"},
    }
    return render(request, "web/lock.html", context, status=problems.status_of(shown) if shown else 200)


def _lock_command(request: Asked, who: Who) -> DatabaseCommand | Problem:
    posted, wish = request.POST, request.POST.get("do", "")
    if wish == "condition":
        name = posted.get("condition", "")
        if name not in ("REVEALING_SETTLED", "NOTHING_UNSENT"):
            raise problems.missing()
        return RecordLockCondition(
            "REVEALING_SETTLED" if name == "REVEALING_SETTLED" else "NOTHING_UNSENT",
            met=posted.get("met") == "yes",
            reference=posted.get("reference", ""),
        )
    proof = prove(request, who)
    if isinstance(proof, Problem):
        return proof
    proposal = posted.get("proposal", "")
    match wish:
        case "propose":
            return ProposeDatabaseLock(proof)
        case "lock":
            return LockDatabase(proposal, proof)
        case "propose-unlock":
            return ProposeDatabaseUnlock(posted.get("reason", ""), proof)
        case "unlock":
            return UnlockDatabase(proposal, proof)
    raise problems.Shown(problem("pages.request-not-understood"))


@require_GET
@signed
def left(request: Asked, who: Who, line: str) -> HttpResponse:
    """What a line of the checklist counts."""
    view = found(desk().left(who, line))
    rows = [(number, words, subject_path(number, *steps)) for number, steps, words in view.rows]
    context = {"view": view, "rows": rows, "title": LEFT[view.list], "at": "lock"}
    return render(request, "web/lock_left.html", context)


urlpatterns: list[URLPattern] = [
    path("signatures", signatures),
    path("signatures/<str:number>", casebook),
    path("verification", verification),
    path("verification/<str:number>/<str:visit>/<str:form>/<int:repeat>", verify),
    path("lock", lock),
    path("lock/<str:line>", left),
    path("subjects/<str:number>/closing", case),
]
