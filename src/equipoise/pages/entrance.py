"""Coming in at either door: sign-in with a password, signing out, the language.

The rule that must stay true: a password opens only what the ledger of the door grants at that moment; wrong names and
wrong passwords are answered alike; after a sign-in nobody is led to another site; wrong passwords lock the name for
the address from which they came, and not for a browser in which its person signed in before: where a whole hospital
comes from one address, nobody can lock an investigator out.
"""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address
from urllib.parse import urlencode

from django.contrib.auth import authenticate
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from equipoise.pages.accounts import logins
from equipoise.pages.accounts.models import Account
from equipoise.pages.visit import Visit, door
from equipoise.words.problem import Problem, problem

_DEVICES = Signer(salt="a browser in which a person signed in")
_DEVICE_DAYS = 180


@require_http_methods(["GET", "POST"])
def sign_in(request: Visit) -> HttpResponse:
    """Name and password. Wrong ones are answered alike; after five, a pause of a quarter of an hour."""
    if request.method == "GET":
        return render(request, "pages/login.html", {"next": request.GET.get("next", "")})
    username, onward = request.POST.get("username", "").strip(), request.POST.get("next", "")
    account = authenticate(request, username=username, password=request.POST.get("password", ""))
    if not isinstance(account, Account):
        return _again(request, problem("pages.sign-in-failed"), 422, onward, username)
    parts = door().parts(account.actor, account.role)
    if not parts:
        return _again(request, problem("pages.no-role"), 403, onward, username)
    more = door().more_proof(account.pk, parts)
    if more is not None:
        role, address = more
        return signed_in(
            request, account, role, "", f"{address}?{urlencode({'next': onward})}" if onward else address
        )
    one = parts[0] if len(parts) == 1 else ""
    return signed_in(request, account, one, onward if one else "", door().after_sign_in(parts))


def _again(request: Visit, failed: Problem, status: int, onward: str, username: str) -> HttpResponse:
    context = {"next": onward, "failed": failed, "username": username}
    return render(request, "pages/login.html", context, status=status)


def locked_out(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """What django-axes answers while a name is locked."""
    return render(
        request, "pages/login.html", {"failed": problem("pages.locked-out"), "next": ""}, status=429
    )


def client_of(request: HttpRequest) -> str:
    """The address to which wrong passwords are counted: of a browser that was signed in before, one of its own.

    That it was says a cookie that this door signed; made up from it, the address is one of those that no network has
    (RFC 4193).
    """
    cookie = request.COOKIES.get(door().cookies.device, "")
    try:
        known = _DEVICES.unsign(cookie)
    except BadSignature:
        return str(request.META.get("REMOTE_ADDR", ""))
    return str(IPv6Address(b"\xfd" + hashlib.sha256(known.encode()).digest()[:15]))


@require_POST
def sign_out(request: Visit) -> HttpResponse:
    """End the login on the server, not only in the browser."""
    logins.leave(request.COOKIES.get(door().cookies.login, ""))
    response = redirect("/")
    response.delete_cookie(door().cookies.login, samesite="Strict")
    return response


@require_POST
def choose_language(request: Visit) -> HttpResponse:
    """Keep the language in a cookie and, for a person, with the account; go back to the page."""
    language = "zh" if request.POST.get("language") == "zh" else "en"
    response = onward_to(request.POST.get("next", ""), "/")
    response.set_cookie(door().cookies.language, language, max_age=365 * 86400, samesite="Lax", httponly=True)
    if request.entered:
        logins.remember_language(request.entered.account, language)
    return response


def signed_in(request: Visit, account: Account, role: str, onward: str, otherwise: str) -> HttpResponse:
    """Sign an account in, ending the login that the browser held; lead to `onward`, or `otherwise`."""
    old = request.COOKIES.get(door().cookies.login, "")
    if old:
        logins.leave(old)
    response = onward_to(onward, otherwise)
    response.set_cookie(
        door().cookies.login,
        logins.enter(account, role, hours=door().login_hours),
        httponly=True,
        samesite="Strict",
        secure=request.is_secure(),
    )
    if account.has_usable_password():
        response.set_cookie(
            door().cookies.device, _DEVICES.sign(account.actor), max_age=_DEVICE_DAYS * 86400, httponly=True,
            samesite="Strict", secure=request.is_secure(),
        )  # fmt: skip
    return response


def onward_to(address: str, otherwise: str) -> HttpResponseRedirect:
    """Only to a place of this site."""
    return HttpResponseRedirect(inside(address, otherwise))


def inside(address: str, otherwise: str) -> str:
    """The address where it is a place of this site, else the other: an address from a link may lead anywhere."""
    fine = url_has_allowed_host_and_scheme(address, allowed_hosts=None) and address.startswith("/")
    return address if fine else otherwise
