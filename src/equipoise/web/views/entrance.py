"""Coming in at the first door: the role chooser of a rehearsal. Sign-in with a password is shared (pages.entrance).

The rule that must stay true: nobody enters a trial without a password; the role chooser exists in a rehearsal
only, where no person is real.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from equipoise.access.roles import ROLES
from equipoise.pages import problems
from equipoise.pages.accounts import logins
from equipoise.pages.entrance import signed_in
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
    phones = bool(desk().study.diary.forms)
    return render(request, "web/chooser.html", {"cards": cards, "people": people, "phones": phones})


@require_POST
def step_in(request: Asked) -> HttpResponse:
    """Sign in as a made-up person of a rehearsal, without a password."""
    if not rehearsal():
        raise problems.Shown(problem("pages.not-a-rehearsal"))
    chosen = (request.POST.get("user", ""), request.POST.get("role", ""))
    persona = next((one for one in desk().personas() if (one.user, one.role) == chosen), None)
    if persona is None or desk().who(persona.user, persona.role) is None:
        raise problems.missing()
    account = logins.persona_account(persona.user, persona.name.en, persona.name.zh or "", persona.role)
    return signed_in(request, account, persona.role, request.POST.get("next", ""), "/today")
