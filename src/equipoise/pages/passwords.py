"""One's own password, at either door: the old one asked, a new one that is not among the first to be guessed.

The rules that must stay true: whoever holds a login but not the old password changes nothing; wrong old passwords
lock the name as they do at the sign-in; a change ends every login but the one it was made in, which is renewed; a
password that somebody else made lets its person do nothing but replace it. Source: NIST SP 800-63B 5.1.1.2.
"""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from equipoise.pages import problems
from equipoise.pages.accounts.models import Account, Login
from equipoise.pages.accounts.people import SHORTEST_PASSWORD, unfit_password
from equipoise.pages.entrance import signed_in
from equipoise.pages.visit import Entered, Visit, door
from equipoise.words.problem import Problem, problem


@require_http_methods(["GET", "POST"])
def own_password(request: Visit) -> HttpResponse:
    """Change the password of who is signed in."""
    entered = request.entered
    if entered is None:
        return redirect("/login?next=/password")
    account = Account.objects.get(pk=entered.account)
    if not account.must_change and not door().whole(request):  # who must change it comes no further without
        return _page(request, account, (problem("pages.password-more-proof"),), barred=True)
    if request.method == "GET":
        return _page(request, account, ())
    if not account.has_usable_password():
        return _page(request, account, (problem("pages.password-none"),))
    old, new = request.POST.get("old", ""), request.POST.get("password", "")
    # An empty one is a slip and is not counted as an attempt.
    known = authenticate(request, username=account.username, password=old) if old else None
    faults: list[Problem] = []
    if known is None:
        faults.append(problem("pages.password-old-wrong", "old"))
    if new != request.POST.get("again", ""):
        faults.append(problem("pages.passwords-differ", "again"))
    unfit = unfit_password(new, account.username)
    if unfit is None and new == old:
        unfit = problem("pages.password-same", "password")
    faults += [unfit] if unfit is not None else []
    if faults:
        return _page(request, account, tuple(faults))
    return _changed(request, account, entered, new)


def _changed(request: Visit, account: Account, entered: Entered, new: str) -> HttpResponse:
    account.set_password(new)
    account.must_change = False
    account.save()
    Login.objects.filter(account=account).delete()  # whoever used the old password has to come in anew
    return signed_in(request, account, entered.role, "/password?changed=1", "/")


def _page(
    request: Visit, account: Account, faults: tuple[Problem, ...], *, barred: bool = False
) -> HttpResponse:
    context = {
        "problems": faults,
        "barred": barred,
        "none": not account.has_usable_password(),
        "first": account.must_change,
        "changed": request.method == "GET" and "changed" in request.GET,
        "shortest": SHORTEST_PASSWORD,
        "username": account.username,
    }
    return render(
        request, "pages/password.html", context, status=problems.status_of(faults) if faults else 200
    )
