"""Documents from the pages of the second door: the pharmacy's log, labels of bags. As PDF, kept by no browser."""

from __future__ import annotations

from typing import cast

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from equipoise.pages import problems
from equipoise.pages.accounts.models import Account
from equipoise.vault.facts import Keeper
from equipoise.vault.prints import accountability_document, label_document, slip_document
from equipoise.vault.stock.commands import CountStock
from equipoise.vault.stock.evolve import Stock
from equipoise.vault.vault import Vault
from equipoise.vault.web.request import Asked, kept
from equipoise.vault.web.request import vault as door
from equipoise.words.problem import Problem

NOT_THERE = frozenset({"vault.bag-unknown", "vault.request-unheard-of", "vault.site-unknown"})
"""Rules of things that are not there: the page "not found"."""


@require_GET
@kept("BENCH", "CHECK")
def log(request: Asked, keeper: Keeper) -> HttpResponse:
    """The accountability log, of one site (`?site=`) or of all."""
    names = {one.actor: one.name for one in Account.objects.all()}
    site, vault = request.GET.get("site", ""), cast(Vault, door())
    with vault.reading() as reader:
        sites = vault.known(reader).told.sites_of(keeper.actor)
    if sites is not None and site and site not in sites:
        raise problems.missing()  # the log names participants beside lots: one's own site's only
    site = site or min(sites or ("",))
    return _answer(accountability_document(vault, site, names), "accountability.pdf")


@require_GET
@kept("BENCH", "CHECK")
def label(request: Asked, keeper: Keeper, bag: str) -> HttpResponse:
    """The label of a bag."""
    with cast(Vault, door()).reading() as reader:
        stock = cast(Stock, cast(Vault, door()).state(reader, CountStock("", "", ())))
    held = stock.bags.get(bag)
    _at_home(keeper, held.request if held is not None else "")
    return _answer(label_document(cast(Vault, door()), (bag,)), "label.pdf")


@require_GET
@kept("BENCH", "CHECK")
def slip(request: Asked, keeper: Keeper, wanted: str) -> HttpResponse:
    """The slip of a request."""
    _at_home(keeper, wanted)
    return _answer(slip_document(cast(Vault, door()), wanted), "request.pdf")


def _at_home(keeper: Keeper, wanted: str) -> None:
    """Raises "not found" for a dose of a site at which the person does not work, and for none."""
    vault = cast(Vault, door())
    with vault.reading() as reader:
        told = vault.known(reader).told
    sites, dose = told.sites_of(keeper.actor), told.wanted.get(wanted)
    if dose is None or (sites is not None and dose.site not in sites):
        raise problems.missing()


def _answer(made: bytes | Problem, name: str) -> HttpResponse:
    if isinstance(made, Problem):
        raise problems.Shown(made) if made.rule not in NOT_THERE else problems.missing()
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


urlpatterns: list[URLPattern] = [
    path("print/accountability.pdf", log),
    path("print/label/<str:bag>.pdf", label),
    path("print/request/<str:wanted>.pdf", slip),
]
