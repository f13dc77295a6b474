"""Every address of the second door: the shell's own, then each page area's."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from equipoise.pages import entrance as shared
from equipoise.pages import problems
from equipoise.vault.web import (
    bench_pages,
    break_pages,
    entrance,
    factor_pages,
    home,
    keeping_pages,
    people_pages,
    print_pages,
    release_pages,
    result_pages,
    value_pages,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", entrance.front),
    path("enter", entrance.step_in),
    path("purpose", entrance.choose),
    path("login", shared.sign_in),
    path("logout", shared.sign_out),
    path("language", shared.choose_language),
    path("work", home.work),
    *factor_pages.urlpatterns,
    *people_pages.urlpatterns,
    *keeping_pages.urlpatterns,
    *bench_pages.urlpatterns,
    *break_pages.urlpatterns,
    *result_pages.urlpatterns,
    *value_pages.urlpatterns,
    *release_pages.urlpatterns,
    *print_pages.urlpatterns,
]
handler400 = problems.refused_request
handler404 = problems.not_found
handler500 = problems.server_error
