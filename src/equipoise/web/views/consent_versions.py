"""The versions of the consent form at the sites; an approval is recorded after a look at what it brings."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from equipoise.access.commands import Who
from equipoise.desk.consent_versions import Foreseen
from equipoise.oversight.commands import ApproveConsentVersion
from equipoise.web import problems
from equipoise.web.request import Asked, at_site, desk
from equipoise.web.views.reading import found, may, new_key, signed
from equipoise.words.problem import Problem, problem


@require_http_methods(["GET", "POST"])
@signed
def consent_versions(request: Asked, who: Who) -> HttpResponse:
    """Versions by site; an approval is looked at first, then recorded."""
    found(desk().consent_versions(who))
    shown: tuple[Problem, ...] = ()
    seen: Foreseen | None = None
    posted = request.POST
    if request.method == "POST":
        given = (posted.get(name, "").strip() for name in ("site", "version", "approval", "on"))
        command = ApproveConsentVersion(*given)
        match posted.get("do"):
            case "look":
                seen = desk().consent_foreseen(who, command)
                shown = seen.problems
            case "approve":
                shown = desk().submit(who, command, key=posted.get("key") or new_key()).problems
                if not shown:
                    return redirect("/amendments/consent")
            case _:
                shown = (problem("web.choose-one", "do"),)
    view = found(desk().consent_versions(who))
    context = {
        "view": view,
        "sites": [
            {"site": site, "lines": [(one, at_site(one.recorded_at or None, site.site)) for one in site.versions]}
            for site in view.sites
        ],
        "may_approve": may(who, "ApproveConsentVersion"),
        "given": posted,
        "seen": seen if seen is not None and not shown else None,
        "key": new_key(),
        "problems": shown,
        "at": "amendments",
    }  # fmt: skip
    return render(
        request, "web/consent_versions.html", context, status=problems.status_of(shown) if shown else 200
    )


urlpatterns: list[URLPattern] = [path("amendments/consent", consent_versions)]
