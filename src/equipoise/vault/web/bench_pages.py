"""The bench: a work list by the hour of release, and one request as steps with one field to scan into.

The rules that must stay true: a wrong scan stops everything with a page of its own, in words; the pages of two products
differ in nothing but the label of the product and of a step's sham; everything can be done from the keyboard.
Source: ux notes 1.16 (wrong kit = full-screen stop), 1.3 (keyboard).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from equipoise.pages import problems
from equipoise.protocol.digest import study_digest
from equipoise.vault import keeping
from equipoise.vault.bench import commands as bench
from equipoise.vault.bench.evolve import Preparation, State, evolve_preparation
from equipoise.vault.bench.scan import request_payload
from equipoise.vault.bench.views import BenchView, Row, bench_view, row_of, work_list
from equipoise.vault.facts import Keeper
from equipoise.vault.stock import commands as stock
from equipoise.vault.stock.evolve import Stock
from equipoise.vault.stock.persons import at_home
from equipoise.vault.vault import Vault
from equipoise.vault.web import stock_pages
from equipoise.vault.web.request import Asked, at_site, found, kept, new_key
from equipoise.vault.web.second_person import choices, names, second_of
from equipoise.words.problem import Problem, problem

STAGES = {
    "NONE": ("vault_bench.stage-none", "plain"),
    "WORKING": ("vault_bench.stage-working", ""),
    "READY": ("vault_bench.stage-ready", "good"),
    "OUT": ("vault_bench.stage-out", "good"),
    "FAILED": ("vault_bench.stage-failed", "bad"),
    "HELD": ("vault_bench.stage-held", "warn"),
    "OVER": ("vault_bench.stage-over", "plain"),
}
BECAUSE = {
    "THAW_FAILED": "vault_bench.because-thaw-failed",
    "VIABILITY_LOW": "vault_bench.because-viability-low",
    "SPILLED": "vault_bench.because-spilled",
    "BAG_BROKEN": "vault_bench.because-bag-broken",
    "TIME_PASSED": "vault_bench.because-time-passed",
    "RECALLED": "vault_bench.because-recalled",
    "OTHER": "vault_bench.because-other",
}
BAGS = {
    "OUT": "vault_bench.bag-out",
    "BACK": "vault_bench.bag-back",
    "FAILED": "vault_bench.bag-failed",
}
SCANS = {"take", "verify"}
"""Acts whose refusal stops everything."""


def opened() -> Vault:
    """The vault itself: these pages ask more of it than the shell does."""
    return cast(Vault, settings.VAULT)


@require_GET
@kept("BENCH", "CHECK")
def requests(request: Asked, keeper: Keeper) -> HttpResponse:
    """The work list."""
    everything = "all" in request.GET
    rows = [_row(row) for row in work_list(_rows(keeper), everything=everything)]
    context = {"rows": rows, "everything": everything, "waits": _other_version(), "at": "/bench"}
    return render(request, "vault/bench.html", context)


def _other_version() -> dict[str, str]:
    """The versions released and in force where a keeper has not confirmed the one that the first door released last."""
    vault = opened()
    with vault.reading() as reader:
        told = vault.known(reader).told
        state = cast(keeping.State, vault.state(reader, keeping.ConfirmDefinition("")))
    now = vault.study
    waits = keeping.waiting(state, told.released, study_digest(now))
    return {"version": told.versions[waits], "now": now.version} if waits else {}


def _rows(keeper: Keeper) -> list[Row]:
    """The requests of the sites at which the person works."""
    vault, now = opened(), opened().now()
    with vault.reading() as reader:
        told = vault.known(reader).told
        held = cast(Stock, vault.state(reader, stock.CountStock("", "", ())))
        sites = told.sites_of(keeper.actor)
        mine = {name: one for name, one in told.wanted.items() if sites is None or one.site in sites}
        made: dict[str, Preparation] = {}
        for request in mine:
            preparation = Preparation()
            for recorded in reader.entries(f"bench/{request}"):
                preparation = evolve_preparation(preparation, recorded) or preparation
            made[request] = preparation
    return [
        row_of(vault.study, wanted, made[name], held, told.numbers.get(wanted.subject, ""), now)
        for name, wanted in mine.items()
    ]


def _row(row: Row) -> dict[str, object]:
    stage, look = STAGES[row.state]
    return {
        "row": row, "stage": stage, "look": look, "late": -row.minutes,
        "release_at": at_site(row.release_at, row.site), "use_by": at_site(row.use_by, row.site),
    }  # fmt: skip


@require_GET
@kept("BENCH", "CHECK")
def one_request(request: Asked, keeper: Keeper, wanted: str) -> HttpResponse:
    """One request and its steps."""
    return _page(request, keeper, wanted)


def _view(keeper: Keeper, wanted: str) -> BenchView | None:
    vault, asked = opened(), bench.OpenPreparation(wanted)
    with vault.reading() as reader:
        state, facts = cast(State, vault.state(reader, asked)), vault.facts(reader, keeper, asked)
        told = vault.known(reader).told
    if facts.wanted is None or not at_home(facts, facts.wanted.site):
        return None
    hung, infused = told.hung.get(wanted, ""), told.infused.get(wanted)
    return bench_view(vault.study, state, facts, vault.now(), hung=hung, infused=infused)


def _page(
    request: Asked,
    keeper: Keeper,
    wanted: str,
    shown: tuple[Problem, ...] = (),
    given: Mapping[str, object] | None = None,
) -> HttpResponse:
    view = found(_view(keeper, wanted))
    stage, look = STAGES[view.row.state]
    context = {
        "view": view, "stage": stage, "look": look, "problems": shown, "at": "/bench", "key": new_key(),
        "release_at": at_site(view.row.release_at, view.row.site),
        "use_by": at_site(view.row.use_by, view.row.site), "use_by_moment": view.row.use_by,
        "may": keeper.purpose == "BENCH", "seconds": choices(keeper.actor), "names": names(),
        "steps": [
            {
                "step": step, "at": at_site(step.done.at, view.row.site) if step.done else "",
                "by": names().get(step.done.by, step.done.by) if step.done else "",
                "second": names().get(step.done.second, step.done.second) if step.done else "",
            }
            for step in view.steps
        ],
        "failed": [
            {"attempt": each, "because": BECAUSE[each.failed], "at": at_site(each.opened_at, view.row.site)}
            for each in view.failed
        ],
        "becauses": BECAUSE,
        "bags": [{"bag": bag.bag, "state": bag.state, "says": BAGS[bag.state]} for bag in view.bags],
        "payload": request_payload(wanted),
    } | dict(given or {})  # fmt: skip
    return render(
        request, "vault/bench_request.html", context, status=problems.status_of(shown) if shown else 200
    )


@require_POST
@kept("BENCH")
def act(request: Asked, keeper: Keeper, wanted: str, what: str) -> HttpResponse:
    """One act at the bench."""
    view = found(_view(keeper, wanted))
    making = found(_MAKING.get(what))
    if what == "verify" and (waiting := _half_scanned(request, keeper, wanted, view)):
        return waiting
    second = ""
    if what in {"verify", "destroy"} or (view.step and view.step.two_persons and what in _STEPS):
        named = second_of(request)
        if isinstance(named, Problem):
            return _page(request, keeper, wanted, (named,), _typed(request))
        second = named
    command = making(request, wanted, second)
    outcome = opened().submit(keeper, command, key=request.POST.get("key") or new_key())
    if outcome.accepted:
        return redirect(f"/bench/{wanted}")
    if what in SCANS:
        return _stop(request, wanted, outcome.problems)
    return _page(request, keeper, wanted, outcome.problems, _typed(request))


def _half_scanned(request: Asked, keeper: Keeper, wanted: str, view: BenchView) -> HttpResponse | None:
    """The page again while bag and request are not both scanned: each scan ends with the scanner's own Enter."""
    typed = _typed(request)
    bag = view.current.bag if view.current else ""
    if typed["scanned_bag"] and bag not in str(typed["scanned_bag"]):
        return _stop(request, wanted, (problem("vault_bench.wrong-bag", "scanned_bag"),))
    if (
        typed["scanned_bag"]
        and typed["scanned_request"]
        and (request.POST.get("second") or request.POST.get("second_password"))
    ):
        return None
    return _page(request, keeper, wanted, (), typed)


def _typed(request: Asked) -> dict[str, object]:
    """What was typed, to be shown again; no password."""
    fields = ("scanned_bag", "scanned_request", "percent", "reason", "remaining", "second_name", "because")
    return {name: request.POST.get(name, "").strip()[:200] for name in fields}


def _stop(request: Asked, wanted: str, shown: tuple[Problem, ...]) -> HttpResponse:
    """The full-screen stop after a wrong scan."""
    context = {"problems": shown, "back": f"/bench/{wanted}", "at": "/bench"}
    return render(request, "vault/bench_stop.html", context, status=problems.status_of(shown))


def _post(request: Asked, name: str) -> str:
    return request.POST.get(name, "").strip()[:2000]


def _fail(request: Asked, wanted: str, second: str) -> object:
    because = _post(request, "because")
    return bench.FailPreparation(
        wanted, cast(bench.FailedBecause, because if because in BECAUSE else "OTHER"),
        _post(request, "again") == "yes", _post(request, "reason"),
    )  # fmt: skip


_MAKING: dict[str, Callable[[Asked, str, str], object]] = {
    "open": lambda request, wanted, second: bench.OpenPreparation(wanted),
    "take": lambda request, wanted, second: bench.TakeUnit(wanted, _post(request, "scanned"), second),
    "do": lambda request, wanted, second: bench.DoStep(wanted, _post(request, "step"), second),
    "viability": lambda request, wanted, second: bench.MeasureViability(
        wanted, _post(request, "percent"), second
    ),
    "fill": lambda request, wanted, second: bench.FillBag(wanted, second),
    "verify": lambda request, wanted, second: bench.VerifyBag(
        wanted, _post(request, "scanned_bag"), _post(request, "scanned_request"), second
    ),
    "fail": _fail,
    "receive": lambda request, wanted, second: bench.ReceiveBag(
        wanted, _post(request, "bag"), _post(request, "remaining")
    ),
    "destroy": lambda request, wanted, second: bench.DestroyBag(
        wanted, _post(request, "bag"), second, _post(request, "reason")
    ),
}
"""What is asked of the bench, by the last part of the address."""
_STEPS = {"take", "do", "viability", "fill"}

urlpatterns: list[URLPattern] = [
    path("bench", requests),
    path("bench/<str:wanted>", one_request),
    path("bench/<str:wanted>/<str:what>", act),
    *stock_pages.urlpatterns,
]
