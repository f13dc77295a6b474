"""One subject: screening a person, the casebook, consent, eligibility, randomizing, dating a visit."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from equipoise.access.commands import Who
from equipoise.desk.identities import IdentityInput
from equipoise.desk.views import Step
from equipoise.eligibility.commands import ConfirmEligibility, FailScreening
from equipoise.randomization.commands import Randomize
from equipoise.web import problems
from equipoise.web.matrix import legend, matrix
from equipoise.web.request import Asked, at_site, desk
from equipoise.web.views import past
from equipoise.web.views.reading import found, may, new_key, signed, subject_path, task_lines
from equipoise.words.problem import Problem, problem


@require_http_methods(["GET", "POST"])
@signed
def screen(request: Asked, who: Who) -> HttpResponse:
    """Take a person into screening. What is typed here goes to the identity register, never into the ledger."""
    sites = _sites(who)
    context: dict[str, object] = {"sites": sites, "key": new_key(), "at": "subjects", "given": {}}
    if request.method == "GET":
        return render(request, "web/screen.html", context)
    given = {name: request.POST.get(name, "").strip() for name in ("name", "birth_date", "phone", "site")}
    identity = IdentityInput(given["name"], given["birth_date"], given["phone"])
    site = given["site"] or (sites[0][0] if sites else "")
    came = desk().screen(who, site, identity, key=request.POST.get("key") or new_key())
    if came.outcome.accepted and came.number:
        return redirect(subject_path(came.number))
    context |= {
        "given": given,
        "problems": came.outcome.problems,
        "key": request.POST.get("key") or new_key(),
    }
    return render(request, "web/screen.html", context, status=problems.status_of(came.outcome.problems))


@require_GET
@signed
def casebook(request: Asked, who: Who, number: str) -> HttpResponse:
    """The matrix of forms and visits, with what is to do."""
    if past.asked(request):
        return past.casebook(request, who, number)
    return casebook_with(request, who, number)


@require_http_methods(["GET", "POST"])
@signed
def eligibility(request: Asked, who: Who, number: str) -> HttpResponse:
    """The checklist: each criterion, whether it is met, and why."""
    if past.asked(request):
        return past.eligibility(request, who, number)
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        subject = found(desk().subject_id(number))
        leaving = request.POST.get("do") == "fail"
        reason = request.POST.get("reason", "").strip()
        command = FailScreening(subject, reason) if leaving else ConfirmEligibility(subject)
        outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
        if outcome.accepted:
            return redirect(subject_path(number, "eligibility"))
        shown = outcome.problems
    view = found(desk().checklist(who, number))
    context = {
        "view": view,
        "failing": [one for one in view.criteria if one.good is False],
        "groups": [
            (f"web.criteria-{category}", [one for one in view.criteria if one.category == category])
            for category in ("inclusion", "exclusion")
        ],
        "problems": shown,
        "at": "subjects",
        "key": new_key(),
    }
    return render(
        request, "web/eligibility.html", context, status=problems.status_of(shown) if shown else 200
    )


@require_http_methods(["GET", "POST"])
@signed
def randomize(request: Asked, who: Who, number: str) -> HttpResponse:
    """Five steps; the last gives a number, never an arm."""
    found(desk().randomization(who, number))
    shown: tuple[Problem, ...] = ()
    if request.method == "POST":
        if request.POST.get("identity") != "yes":
            shown = (problem("web.confirm-identity"),)
        else:
            command = Randomize(found(desk().subject_id(number)))
            outcome = desk().submit(who, command, key=request.POST.get("key") or new_key())
            if outcome.accepted:
                return redirect(subject_path(number, "randomize"))
            shown = outcome.problems
    view = found(desk().randomization(who, number))
    done = view.randomization_number is not None
    site = found(desk().subject(who, number)).site
    context = {
        "view": view,
        "steps": [_step_line(number, step, randomized=done) for step in view.steps],
        "randomized_at": at_site(view.randomized_at, site),
        "may_randomize": may(who, "Randomize"),
        "problems": shown,
        "at": "subjects",
        "key": new_key(),
    }
    return render(request, "web/randomize.html", context, status=problems.status_of(shown) if shown else 200)


def _step_line(number: str, step: Step, *, randomized: bool) -> dict[str, object]:
    """A step for the template. Who the person is, only the one at the desk can say: open until they did."""
    asked = step.id == "identity" and step.state == "done" and not randomized
    place = {"consent": "consent", "eligibility": "eligibility", "stratum": "eligibility"}.get(step.id)
    return {
        "id": step.id,
        "state": "open" if asked else step.state,
        "problems": step.problems,
        "title": f"web.step-{step.id}",
        "says": f"web.step-{step.id}-says",
        "path": subject_path(number, place) if place else "",
        "link": f"web.to-{place}" if place else "",
    }


def casebook_with(request: Asked, who: Who, number: str, shown: tuple[Problem, ...] = ()) -> HttpResponse:
    """The casebook, with problems of what was asked for on it."""
    view = found(desk().subject(who, number))
    context = {
        "view": view,
        "consent_key": f"web.consent-{view.consent}",
        "matrix": matrix(view, request.language),
        "legend": legend(request.language),
        "lines": task_lines(view.tasks),
        "at": "subjects",
        "key": new_key(),
        "undated": [column for column in view.columns if column.dated is None],
        "problems": shown,
        "given": request.POST,
    }
    return render(request, "web/casebook.html", context, status=problems.status_of(shown) if shown else 200)


def _sites(who: Who) -> list[tuple[str, object]]:
    """The sites at which this person may screen: those of their grants, or all for a grant on the whole study."""
    names = {site.id: site.name for site in desk().study.sites}
    mine = [grant.site for grant in who.grants if grant.role == who.role]
    if None in mine:
        return list(names.items())
    return [(site, names.get(site, site)) for site in mine if site is not None]
