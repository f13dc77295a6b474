"""Every address of the first door."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from equipoise.pages import entrance as shared
from equipoise.pages import passwords, problems
from equipoise.web.diary import views as diary
from equipoise.web.public import views as public
from equipoise.web.views import (
    accounts,
    amendments,
    audit,
    blind,
    casebook,
    closing,
    consent_versions,
    consents,
    deviations,
    diaries,
    double,
    enrolment,
    entrance,
    explaining,
    forms,
    grids,
    imaging,
    inbox,
    logs,
    moving,
    papers,
    ranges,
    sources,
    specimens,
    staff,
    supply,
    travelling,
    visits,
    work,
)

_FORM = "subjects/<str:number>/forms/<str:visit>/<str:form>"

urlpatterns: list[URLPattern | URLResolver] = [
    path(_FORM, forms.form),  # first: most requests are for a form, and addresses are tried in this order
    path(f"{_FORM}/<int:repeat>", forms.form),
    path("", entrance.front),
    path("trial", public.trial),
    path("enter", entrance.step_in),
    path("login", shared.sign_in),
    path("logout", shared.sign_out),
    path("password", passwords.own_password),
    path("language", shared.choose_language),
    path("today", work.today),
    *inbox.urlpatterns,
    *explaining.urlpatterns,
    *closing.urlpatterns,
    path("subjects", work.subjects),
    path("subjects/new", casebook.screen),
    path("subjects/matrix", work.subject_matrix),
    path("subjects/<str:number>", casebook.casebook),
    path("subjects/<str:number>/eligibility", casebook.eligibility),
    path("subjects/<str:number>/randomize", casebook.randomize),
    *amendments.urlpatterns,
    *moving.urlpatterns,
    *consent_versions.urlpatterns,
    *audit.urlpatterns,
    *blind.urlpatterns,
    *grids.urlpatterns,
    *logs.urlpatterns,
    *ranges.urlpatterns,
    *papers.urlpatterns,
    *enrolment.urlpatterns,
    *supply.urlpatterns,
    *sources.urlpatterns,
    *visits.urlpatterns,
    *staff.urlpatterns,
    *accounts.urlpatterns,
    *specimens.urlpatterns,
    *deviations.urlpatterns,
    *diaries.urlpatterns,
    *double.urlpatterns,
    *consents.urlpatterns,
    *imaging.urlpatterns,
    *diary.urlpatterns,
    *travelling.urlpatterns,
    path(f"{_FORM}/history", forms.history),
    path(f"{_FORM}/<int:repeat>/history", forms.history),
]
handler400 = problems.refused_request
handler404 = problems.not_found
handler500 = problems.server_error
