"""The participants of a trial that never happened, one after another, for many trials at once.

The rules that must stay true: one key a trial (`trial_keys`), from the seed and the trial's number alone; a draw is a
function of that key, of the participant's number and of its place, so that no draw depends on how many trials run
together, on their order, or on how many participants come after. All scenarios share the draws of a seed, so that
they differ in what differs between them. Arms come from the branches of the randomization room's own methods.
Sources: Threefry-2x32 with 20 rounds, Salmon et al. 2011; normal numbers by Box and Muller 1958.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.random import threefry2x32_p

from equipoise.simulation.batch.numbers import TILE, Numbers, Shape
from equipoise.simulation.batch.odds import Grades
from equipoise.simulation.batch.small import settled


class Drawn(NamedTuple):
    """What the analysis needs of all participants. K looks, V visits, q columns (1, baseline, arm, factors, changes).

    counts (K, V, B), sums (K, V, q, q, B): products of those seen at a visit at a look; with `shape.gaps` (K, 2^V, …)
    of those seen at these visits alone, bit v of the place for visit v. grades: at the last look.
    whole (2, 2, B): counts and sums of the change at the visit of the endpoint by arm, nobody missing.
    excess (B,): participants in the active arm over those in the control arm; worst (B,): the largest of a stratum.
    seen, died (B,): participants with the endpoint, and those who died before it.
    """

    counts: Array
    sums: Array
    grades: Grades
    whole: Array
    excess: Array
    worst: Array
    seen: Array
    died: Array


def trial_keys(seed: int | Array, first: Array, count: int) -> Array:
    """(2, count) the keys of trials first, first + 1, …"""
    root = jax.random.key(seed)
    one: Any = lambda number: jax.random.key_data(jax.random.fold_in(root, number))  # noqa: E731  # an argument
    keys: Array = jax.vmap(one)(first + jnp.arange(count, dtype=jnp.uint32)).T
    return keys


def uniforms(keys: Array, participants: Array, places: int) -> Array:
    """(places, T, B) numbers inside (0, 1), of 52 bits, of T participants in every trial."""
    size = (places, participants.shape[0], keys.shape[1])
    one = jnp.broadcast_to(participants.astype(jnp.uint32)[:, None], size)
    two = jnp.broadcast_to(jnp.arange(places, dtype=jnp.uint32)[:, None, None], size)
    stream: Any = threefry2x32_p  # it carries no types
    high, low = stream.bind(jnp.broadcast_to(keys[0], size), jnp.broadcast_to(keys[1], size), one, two)
    bits = (high.astype(jnp.uint64) << 20) | (low.astype(jnp.uint64) >> 12)
    near_one = jax.lax.bitcast_convert_type(bits | jnp.uint64(0x3FF0000000000000), jnp.float64)
    return near_one - (1.0 - 2.0**-53)


def normals(drawn: Array) -> Array:
    """Standard normal numbers out of an even number of uniform ones (2k, …)."""
    half = drawn.shape[0] // 2
    radius = jnp.sqrt(-2.0 * jnp.log(drawn[:half]))
    angle = 2.0 * jnp.pi * drawn[half:]
    return jnp.concatenate([radius * jnp.cos(angle), radius * jnp.sin(angle)])


def allocated(numbers: Numbers, states: Array, stratum: Array, drawn: Array) -> tuple[Array, Array]:
    """The place (B,) of the arm of the next slot of a stratum, and the states (strata, B) afterwards."""
    mine = jnp.arange(states.shape[0])[:, None] == stratum[None]
    state = jnp.sum(jnp.where(mine, states, 0), axis=0)
    limits = jnp.take(numbers.slot_limits, state, axis=0)  # (B, branches)
    branch = jnp.minimum(jnp.sum(drawn[:, None] >= limits, axis=1), limits.shape[1] - 1)
    flat = state * limits.shape[1] + branch
    arm, after = jnp.take(numbers.slot_arms.reshape(-1), flat), jnp.take(numbers.slot_after.reshape(-1), flat)
    return arm, jnp.where(mine, after[None], states)


class _State(NamedTuple):
    """slots, excess (strata, B): where each list is, and active over control in it; the rest as in `Drawn`."""

    slots: Array
    excess: Array
    counts: Array
    sums: tuple[Array, ...]  # (pairs, B) for each look and visit
    grades: Grades
    whole: Array
    seen: Array
    died: Array


def draw(shape: Shape, numbers: Numbers, keys: Array) -> Drawn:
    """All participants of the trials with these keys (2, B)."""
    size, padded = keys.shape[1], -(-shape.most // TILE) * TILE
    factors = shape.factors

    def zeros(*axes: int) -> Array:
        return jnp.zeros((*axes, size), jnp.float64)

    grades = Grades(jnp.zeros((padded, size), jnp.int32), zeros(factors + 2, padded), zeros(padded))
    state = _State(
        jnp.zeros((2**factors, size), jnp.int32), zeros(2**factors),
        zeros(shape.looks, _sets(shape)),
        shape.looks * tuple(zeros(_pairs(shape, one)) for one in range(_sets(shape))),
        grades, zeros(2, 2), zeros(), zeros(),
    )  # fmt: skip
    tiles = (numbers.participants + TILE - 1) // TILE
    state = jax.lax.fori_loop(0, tiles, lambda at, before: _tile(shape, numbers, keys, at, before), state)
    squares = jnp.stack([_squares(shape, each) for each in state.sums])
    return Drawn(
        state.counts, squares.reshape(shape.looks, _sets(shape), *squares.shape[1:]), state.grades, state.whole,
        jnp.sum(state.excess, axis=0), jnp.max(jnp.abs(state.excess), axis=0), state.seen, state.died,
    )  # fmt: skip


def _tile(shape: Shape, numbers: Numbers, keys: Array, at: Array, before: _State) -> _State:
    """The state after TILE more participants."""
    visits, factors, endpoint = shape.visits, shape.factors, shape.endpoint
    wanted = visits + factors + 3
    wanted += wanted % 2
    which = at * TILE + jnp.arange(TILE)
    real = (which < numbers.participants).astype(jnp.float64)[:, None]
    more = visits if shape.gaps else 0
    drawn = settled(uniforms(keys, which, wanted + 3 + more))
    normal = settled(normals(drawn[:wanted]))  # else each use of a number makes it again
    own, latent = normal[: visits + 1], normal[visits + 1 : visits + 1 + factors]
    levels = _levels(numbers, own[0], latent)
    active, slots, excess = _listed(numbers, before, levels, drawn[wanted], real)
    base, values = _values(shape, numbers, own, active)
    left, died = _followed(
        shape, numbers, (values - base) / numbers.unit, active, drawn[wanted + 1 : wanted + 3]
    )
    composite = numbers.composite > 0
    dead = died[None] <= jnp.arange(visits)[:, None, None]
    changes = (jnp.where(dead & composite, numbers.after_death, values) - base) / numbers.unit
    until = jnp.where(composite, jnp.where(died < left, visits, left), jnp.minimum(left, died))
    until = until * (real > 0)
    centred = (base - numbers.mean[0]) / numbers.sd[0]
    row = jnp.concatenate([jnp.ones_like(active)[None], centred[None], active[None], levels, changes])
    attended = (
        (drawn[wanted + 3 :] >= numbers.missed[:, None, None]) | (dead & composite) if shape.gaps else None
    )
    row, until = settled((row, until))
    counts, sums = _added(shape, numbers, which, before, (row, until, attended))
    had = until > endpoint if attended is None else (until > endpoint) & attended[endpoint]
    known_dead = (died <= jnp.minimum(left, endpoint)) & (real > 0)
    extra = normal[visits + 1 + factors :]
    grades = _graded(shape, numbers, (own, extra, active, levels), died <= endpoint)
    grades = grades._replace(seen=(had | known_dead).astype(jnp.float64))
    by_arm = jnp.stack([1.0 - active, active]) * real
    whole = jnp.stack([by_arm, by_arm * changes[endpoint]])
    return _State(
        slots, excess, counts, sums, _stored(before.grades, grades, at * TILE),
        before.whole + _over_tile(jnp.moveaxis(whole, 2, 0)),
        before.seen + _over_tile(had.astype(jnp.float64)), before.died + _over_tile(known_dead),
    )  # fmt: skip


def _over_tile(values: Array) -> Array:
    """The sum over the first axis, term by term."""
    found = values[0].astype(jnp.float64)
    for each in values[1:]:
        found = found + each
    return found


def _stored(before: Grades, tile: Grades, at: Array) -> Grades:
    put = jax.lax.dynamic_update_slice_in_dim
    return Grades(
        put(before.category, tile.category, at, 0),
        put(before.x, tile.x, at, 1),
        put(before.seen, tile.seen, at, 0),
    )


def _listed(
    numbers: Numbers, before: _State, levels: Array, drawn: Array, real: Array
) -> tuple[Array, Array, Array]:
    """(T, B) 1 in the active arm; the states of the lists and the excess of every stratum afterwards."""
    powers = jnp.array([2**place for place in range(levels.shape[0])], jnp.int32)
    strata = jnp.sum(powers[:, None, None] * levels.astype(jnp.int32), axis=0)
    places = jnp.arange(before.slots.shape[0])[:, None]
    slots, excess, arms = before.slots, before.excess, []
    for one in range(strata.shape[0]):
        place, slots = allocated(numbers, slots, strata[one], drawn[one])
        arm = (place == numbers.active).astype(jnp.float64)
        excess = excess + jnp.where(places == strata[one], (2.0 * arm - 1.0) * real[one], 0.0)
        arms.append(arm)
    return jnp.stack(arms), slots, excess


def _levels(numbers: Numbers, first: Array, latent: Array) -> Array:
    """(F, T, B) 0 or 1: the level of each stratification factor, which may go with the baseline."""
    pull = numbers.factor_pull[:, None, None]
    score = pull * first[None] + jnp.sqrt(1.0 - pull**2) * latent
    upper: Array = (score > numbers.factor_limit[:, None, None]).astype(jnp.float64)
    return upper


def _values(shape: Shape, numbers: Numbers, own: Array, active: Array) -> tuple[Array, Array]:
    """Baseline (T, B) and values (V, T, B) of those who live: whole numbers inside the scale."""
    spread = []
    for row in range(shape.visits + 1):
        value = numbers.root[row, 0] * own[0]
        for column in range(1, row + 1):
            value = value + numbers.root[row, column] * own[column]
        spread.append(value)
    values = numbers.mean[:, None, None] + numbers.sd[:, None, None] * jnp.stack(spread)
    gain = jnp.concatenate([jnp.zeros(1), numbers.effect])
    values = values + gain[:, None, None] * active[None]
    values = jnp.clip(jnp.round(values), numbers.lowest, numbers.highest)
    return values[0], values[1:]


def _of_arm(both: Array, active: Array) -> Array:
    """(…, T, B) out of (2, …), by the arm."""
    return jnp.where(active[None] > 0, both[1][:, None, None], both[0][:, None, None])


def _followed(
    shape: Shape, numbers: Numbers, changes: Array, active: Array, drawn: Array
) -> tuple[Array, Array]:
    """(T, B) visits attended before leaving, and visits before death; V where neither happened.

    With `shape.depends`, the rate of leaving before a visit is multiplied by exp(pull * change at the visit before).
    """
    stay, live = _of_arm(numbers.stay, active), _of_arm(numbers.live, active)
    if shape.depends:
        last = jnp.concatenate([jnp.zeros_like(changes[:1]), changes[:-1]])
        stay = jnp.exp(jnp.log(stay) * jnp.exp(numbers.pull * last))
    staying = living = jnp.ones_like(active)
    left = died = jnp.zeros(active.shape, jnp.int32)
    for visit in range(shape.visits):
        staying, living = staying * stay[visit], living * live[visit]
        left, died = left + (drawn[0] < staying), died + (drawn[1] < living)
    return left, died


def _graded(shape: Shape, numbers: Numbers, person: tuple[Array, Array, Array, Array], dead: Array) -> Grades:
    """Grades (T, B) at the endpoint's visit with their covariates: the grade at baseline, the factors, the arm."""
    own, extra, active, levels = person
    pull = numbers.grade_pull
    first = pull[0] * own[0] + jnp.sqrt(1.0 - pull[0] ** 2) * extra[0]
    score = numbers.root[shape.endpoint + 1, 0] * own[0]
    for column in range(1, shape.endpoint + 2):
        score = score + numbers.root[shape.endpoint + 1, column] * own[column]
    latent = pull[1] * score + jnp.sqrt(1.0 - pull[1] ** 2) * extra[1]
    limits = _of_arm(numbers.grade_limits, active)
    start, end = jnp.zeros_like(active), jnp.zeros(active.shape, jnp.int32)
    for cut in range(shape.grades - 2):
        start, end = start + (first > numbers.grade_start[cut]), end + (latent > limits[cut])
    x = jnp.concatenate([start[None], levels, active[None]])
    return Grades(jnp.where(dead, shape.grades - 1, end), x, active)


def _added(
    shape: Shape, numbers: Numbers, which: Array, before: _State, tile: tuple[Array, Array, Array | None]
) -> tuple[Array, tuple[Array, ...]]:
    """Counts and products with the participants of a tile."""
    row, until, attended = tile
    pairs = settled(jnp.concatenate([row[: column + 1] * row[column] for column in range(shape.columns)]))
    reached = jnp.take(numbers.reached, which, axis=1, mode="clip")[:, :, None]  # (K, T, 1)
    counts, sums, place = before.counts, [], 0
    for look in range(shape.looks):
        come = jnp.minimum(until, reached[look])
        for visit, who in enumerate(_members(shape, come, attended)):
            seen = who.astype(row.dtype)
            total = before.sums[place]
            for one in range(until.shape[0]):
                total = total + seen[one] * pairs[: len(total), one]
            counts = counts.at[look, visit].add(_over_tile(seen))
            sums.append(total)
            place += 1
    return counts, tuple(sums)


def _members(shape: Shape, come: Array, attended: Array | None) -> Iterator[Array]:
    """(T, B) who belongs to each set: seen at a visit, or with gaps seen at these visits alone."""
    if attended is None:
        yield from (come > visit for visit in range(shape.visits))
        return
    pattern = sum(jnp.where((come > visit) & attended[visit], 2**visit, 0) for visit in range(shape.visits))
    yield from (jnp.equal(pattern, one) for one in range(_sets(shape)))


def _sets(shape: Shape) -> int:
    """How many sets of participants have sums of their own at a look."""
    return 2**shape.visits if shape.gaps else shape.visits


def _pairs(shape: Shape, place: int) -> int:
    """How many products there are of pairs among (z, x, changes up to the last visit of the set)."""
    visits = place.bit_length() if shape.gaps else place + 1
    columns = shape.columns - shape.visits + visits
    return columns * (columns + 1) // 2


def _squares(shape: Shape, packed: Array) -> Array:
    """(q, q, B) out of the products of pairs; 0 for later visits."""
    columns = [jnp.zeros((shape.columns, packed.shape[1]))] * shape.columns
    place = 0
    for column in range(shape.columns):
        if place == len(packed):
            break
        columns[column] = columns[column].at[: column + 1].set(packed[place : place + column + 1])
        place += column + 1
    half = jnp.stack(columns, axis=1)
    return half + jnp.swapaxes(half, 0, 1) - half * jnp.eye(shape.columns)[:, :, None]
