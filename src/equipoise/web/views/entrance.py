"""Coming in: the role chooser of a rehearsal, sign-in with a password, signing out, the language.

The rule that must stay true: nobody enters a trial without a password; the role chooser exists in a rehearsal
only, where no person is real.
"""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from equipoise.access.roles import ROLES
from equipoise.web import problems
from equipoise.web.accounts import logins
from equipoise.web.accounts.models import Account
from equipoise.web.middleware import LANGUAGE_COOKIE
from equipoise.web.request import Asked, desk, rehearsal
from equipoise.words.problem import problem

ICONS = {
    "coordinator": "clipboard",
    "investigator": "stethoscope",
    "rater": "gauge",
    "monitor": "clipboard-check",
    "data_manager": "table",
    "statistician": "chart",
    "pharmacist": "pill",
    "sponsor": "building",
    "administrator": "gear",
    "inspector": "search",
}


@require_GET
def front(request: Asked) -> HttpResponse:
    """The role chooser in a rehearsal; otherwise today's work, or the sign-in."""
    if not rehearsal():
        return redirect("/today" if request.who else "/login")
    cards = [
        {"persona": persona, "role": ROLES.get(persona.role), "icon": ICONS.get(persona.role, "people")}
        for persona in desk().personas()
    ]
    people = desk().number_of_participants()
    return render(request, "web/chooser.html", {"cards": cards, "people": people})


@require_POST
def step_in(request: Asked) -> HttpResponse:
    """Sign in as a made-up person of a rehearsal, without a password."""
    if not rehearsal():
        raise problems.Shown(problem("web.not-a-rehearsal"))
    chosen = (request.POST.get("user", ""), request.POST.get("role", ""))
    persona = next((one for one in desk().personas() if (one.user, one.role) == chosen), None)
    if persona is None or desk().who(persona.user, persona.role) is None:
        raise problems.missing()
    account = logins.persona_account(persona.user, persona.name.en, persona.name.zh or "", persona.role)
    return _signed_in(request, account, persona.role, "/today")


@require_http_methods(["GET", "POST"])
def sign_in(request: Asked) -> HttpResponse:
    """Name and password. Wrong ones are answered alike; after five, a pause of a quarter of an hour."""
    if request.method == "GET":
        return render(request, "web/login.html", {"next": request.GET.get("next", "")})
    username = request.POST.get("username", "").strip()
    account = authenticate(request, username=username, password=request.POST.get("password", ""))
    onward = request.POST.get("next", "")
    if not isinstance(account, Account):
        failed = problem("web.sign-in-failed")
        return render(
            request, "web/login.html", {"next": onward, "failed": failed, "username": username}, status=422
        )
    if desk().who(account.actor, account.role) is None:
        failed = problem("web.no-role")
        return render(
            request, "web/login.html", {"next": onward, "failed": failed, "username": username}, status=403
        )
    return _signed_in(request, account, account.role, onward)


def locked_out(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """What django-axes answers while a name is locked."""
    asked: Asked = request  # type: ignore[assignment]  # the sign-in middleware ran
    return render(asked, "web/login.html", {"failed": problem("web.locked-out"), "next": ""}, status=429)


@require_POST
def sign_out(request: Asked) -> HttpResponse:
    """End the login on the server, not only in the browser."""
    logins.leave(request.COOKIES.get(logins.COOKIE, ""))
    response = redirect("/")
    response.delete_cookie(logins.COOKIE, samesite="Strict")
    return response


@require_POST
def choose_language(request: Asked) -> HttpResponse:
    """Keep the language in a cookie and, for a person, with the account; go back to the page."""
    language = "zh" if request.POST.get("language") == "zh" else "en"
    response = _onward(request, request.POST.get("next", ""), "/")
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * 86400, samesite="Lax", httponly=True)
    if request.entered:
        logins.remember_language(request.entered.account, language)
    return response


def _signed_in(request: Asked, account: Account, role: str, onward: str) -> HttpResponse:
    old = request.COOKIES.get(logins.COOKIE, "")
    if old:
        logins.leave(old)
    response = _onward(request, onward, "/today")
    response.set_cookie(
        logins.COOKIE,
        logins.enter(account, role),
        httponly=True,
        samesite="Strict",
        secure=request.is_secure(),
    )
    return response


def _onward(request: Asked, address: str, otherwise: str) -> HttpResponseRedirect:
    """Only to a place of this site: an address from a link may lead anywhere."""
    fine = url_has_allowed_host_and_scheme(address, allowed_hosts=None) and address.startswith("/")
    return HttpResponseRedirect(address if fine else otherwise)
