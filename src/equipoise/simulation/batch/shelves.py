"""Whether a site would have had no bag: units of every product on the shelves of the sites, trial after trial.

A site has one shipment when it opens; another is sent when as many doses were taken as came less the reserve, which is
the rule of the study's own supply. A unit is used from the shipment that came first, keeps so many days, and may fail,
so that another of the same product is taken. Participants come in evenly, to the sites that are open by then, and have
every dose on its planned day; arms come from the study's own allocation method. No JAX here.

The rules that must stay true: what is sent depends on doses taken alone, never on an arm; a participant's draws
depend on the seed and the participant's number, so that more trials or participants change none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.analysis.ops import Array, Indices
from equipoise.protocol.study import Study
from equipoise.simulation.batch.asked import Shelves
from equipoise.simulation.batch.characteristics import Figure, mean_of, rate_of
from equipoise.simulation.batch.scenario import Prepared, Ready
from equipoise.simulation.people.arrivals import rates_on

MOST = 10_000
"""Trials at most: a share of one in a hundred is then known to 0.1 %."""
PLACE = 7_919
"""What sets these draws apart from others of the same seed."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """each, reserve, products: of the study. days: of the doses after a participant comes in."""

    each: int
    reserve: int
    sites: int
    products: int
    days: tuple[int, ...]
    asked: Shelves


def supply_figures(prepared: Prepared, ready: Ready, seed: int, trials: int) -> Iterator[Figure]:
    """Share of trials in which a bag was not there, and what was sent and not used; nothing where not asked."""
    rule = _rule(prepared)
    if rule is None:
        return
    count = min(trials, MOST)
    lacking, sent, spoiled = _course(rule, _people(prepared, ready, (seed, count)), seed)
    yield rate_of("no_bag", lacking > 0)
    yield mean_of("doses_without_bag", lacking)
    yield mean_of("shipments", sent)
    yield mean_of("units_spoiled", spoiled)


def _rule(prepared: Prepared) -> _Rule | None:
    supply, asked = prepared.study.supply, prepared.asked.shelves
    if asked is None or not supply.doses or not supply.shipment_units:
        return None
    days = tuple(_day(prepared.study, dose.visit) for dose in supply.doses)
    products = len(prepared.study.arms)  # a product for each
    return _Rule(
        supply.shipment_units, supply.shipment_reserve, len(prepared.study.sites), products, days, asked
    )


def _day(study: Study, visit: str) -> int:
    planned = study.visit(visit)
    return 0 if planned is None or planned.day is None else planned.day - 1


def _people(prepared: Prepared, ready: Ready, how: tuple[int, int]) -> tuple[Array, Indices, Indices]:
    """(N,) days on which they come in; (N, trials) their sites and places of their arms in the list."""
    seed, count = how
    numbers, size, sites = ready.numbers, ready.participants, len(prepared.study.sites)
    upper = special.ndtr(-np.asarray(numbers.factor_limit))
    states = np.zeros((2 ** len(upper), count), np.intp)
    trial = np.arange(count)
    days = np.arange(size) / prepared.rate
    at_sites, arms = np.zeros((size, count), np.intp), np.zeros((size, count), np.intp)
    for one in range(size):
        drawn = np.random.default_rng([seed, PLACE, one]).random((count, len(upper) + 2))
        stratum = ((drawn[:, 2:] < upper) @ (2 ** np.arange(len(upper)))).astype(np.intp)
        state = states[stratum, trial]
        limits = numbers.slot_limits[state]
        branch = np.minimum(np.sum(drawn[:, :1] >= limits, axis=1), limits.shape[1] - 1)
        arms[one] = numbers.slot_arms[state, branch]
        states[stratum, trial] = numbers.slot_after[state, branch]
        rates = np.array(rates_on(prepared.accrual, sites, float(days[one]) + 1.0))
        passed = np.cumsum(rates) / np.sum(rates)
        at_sites[one] = np.minimum(np.searchsorted(passed, drawn[:, 1], side="right"), sites - 1)
    return days, at_sites, arms


def _course(rule: _Rule, people: tuple[Array, Indices, Indices], seed: int) -> tuple[Array, Array, Array]:
    """(trials,) doses without a bag, shipments, and units that failed."""
    days, sites, arms = people
    count, trial = sites.shape[1], np.arange(sites.shape[1])
    most = 2 + -(-len(days) * len(rule.days) // rule.each)
    came = np.full((count, rule.sites, most), np.inf)
    came[:, :, 0] = 0.0
    sent = np.ones((count, rule.sites), np.intp)
    left = np.full((count, rule.sites, rule.products, most), float(rule.each))
    taken, lacking, spoiled = np.zeros((count, rule.sites)), np.zeros(count), np.zeros(count)
    events = sorted(
        (float(day) + after, one, number)
        for number, after in enumerate(rule.days)
        for one, day in enumerate(days)
    )
    for day, one, number in events:
        fails = np.random.default_rng([seed, PLACE, one, 1 + number]).random(count) < rule.asked.fails
        site, product = sites[one], arms[one]
        had = np.zeros(count, bool)
        for again in (False, True):
            usable = (came[trial, site] <= day) & (day <= came[trial, site] + rule.asked.shelf_days)
            usable &= left[trial, site, product] > 0
            there = usable.any(axis=1) & (fails if again else True)
            lot = np.argmax(usable, axis=1)
            left[trial[there], site[there], product[there], lot[there]] -= 1.0
            had = there if not again else np.where(fails, there, had)
        spoiled += fails
        lacking += ~had
        taken[trial, site] += had
        due = (taken[trial, site] >= sent[trial, site] * rule.each - rule.reserve) & (
            sent[trial, site] < most
        )
        came[trial[due], site[due], sent[trial, site][due]] = day + rule.asked.lead_days
        sent[trial[due], site[due]] += 1
    return lacking, sent.sum(axis=1).astype(float), spoiled
