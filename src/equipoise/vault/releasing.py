"""The final release out of an open second door: everything that `release_content` needs, gathered from store and list.

The rules that must stay true: what was dispensed is what this door's own ledger says was taken from the shelf (the
lot of the unit in every bag that was handed over, and the arm of that lot's product), never what the slot said should
be taken; in the order of assignment; nothing is gathered from memory; who calls this has passed the gate. Source:
DESIGN 5 (three openings).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping

from equipoise.ledger.entries import StudyReleased
from equipoise.ledger.reader import Reader
from equipoise.ledger.vault_entries import EntryAccepted, ListMade, LotReceived, VaultOpened
from equipoise.protocol.digest import study_from_text
from equipoise.protocol.study import Study
from equipoise.vault.bench.evolve import Preparation, evolve_preparation
from equipoise.vault.holding import SEEDS, read_seeds
from equipoise.vault.knowing import CEREMONY, Known
from equipoise.vault.lists_held import PLACE
from equipoise.vault.release_file import BOTH, Dispensed, release_content
from equipoise.vault.vault import Vault
from equipoise.words.problem import Problem, problem


def release_of(vault: Vault) -> tuple[bytes, str] | Problem:
    """The bytes of `release.json` and the root (hex) of the list. Only for the gate of the final release.

    Problems: `vault.list-missing` where no list lies here, `vault.seeds-unreadable`, `vault.release-of-another-list`.
    """
    key = vault.slot_key()
    try:
        content = (vault.folder / PLACE / SEEDS).read_bytes()
    except OSError:
        return problem("vault.seeds-unreadable", SEEDS)
    if key is None:
        return problem("vault.list-missing")
    seeds = read_seeds(content, key)
    if isinstance(seeds, Problem):
        return seeds
    with vault.reading() as reader:
        known = vault.known(reader)
        entries = [one.entry for one in reader.entries(CEREMONY)]
        made = [entry for entry in entries if isinstance(entry, ListMade)]
        if not made or known.told.published is None:
            return problem("vault.list-missing")
        refused = problem("vault.release-of-another-list", "study")
        for study in _versions(reader):
            given = _dispensed(reader, known, study)
            found = release_content(study, made[-1], known.told.published.slots, seeds, given)
            if not isinstance(found, Problem):
                return found, made[-1].root
            refused = found
    return refused


def _versions(reader: Reader) -> Iterator[Study]:
    """Every version of the definition that this door knows, latest first; the list follows from one of them only."""
    texts = [one.entry.definition for one in reader.entries("vault") if isinstance(one.entry, VaultOpened)]
    for one in reader.entries("inbox"):
        if isinstance(one.entry, EntryAccepted) and one.entry.kind_there == StudyReleased.__name__:
            texts.append(json.loads(one.entry.body)["definition"])
    for text in dict.fromkeys(reversed(texts)):
        yield study_from_text(text)


def arms_received(reader: Reader, study: Study, *, until: dt.datetime | None = None) -> Mapping[str, str]:
    """number -> arm of what was handed over under it; two, joined by `BOTH`, where doses differed.

    until: the moment of a cut; what was handed over after it does not count.
    """
    arms = {product.id: product.arm for product in study.supply.products}
    return {
        number: BOTH.join(sorted({arms.get(product, product) for product in products}))
        for number, products in _handed_over(reader, until).items()
    }


def preparations(reader: Reader) -> Iterator[Preparation]:
    """Every preparation of this door."""
    for head in reader.streams():
        if head.stream.startswith("bench/"):
            made = Preparation()
            for one in reader.entries(head.stream):
                made = evolve_preparation(made, one) or made
            yield made


def _dispensed(reader: Reader, known: Known, study: Study) -> list[Dispensed]:
    """Every slot assigned, in order, with the arm of what was handed over under it."""
    given = arms_received(reader, study)
    return [
        Dispensed(
            number,
            subject,
            known.told.randomized.get(subject, (number, ""))[1],
            given.get(number, ""),
        )
        for subject, number in known.slots.numbers.items()
    ]


def _handed_over(reader: Reader, until: dt.datetime | None) -> Mapping[str, set[str]]:
    """number -> products (ids) of the lots whose units were in the bags handed over for it; two are a fault that
    shows.
    """
    products = {
        one.entry.lot: one.entry.product
        for one in reader.entries("stock")
        if isinstance(one.entry, LotReceived)
    }
    found: dict[str, set[str]] = {}
    for made in preparations(reader):
        for attempt in made.attempts:
            at = attempt.handed_at
            if at and (until is None or dt.datetime.fromisoformat(at) <= until):
                found.setdefault(made.number, set()).add(products.get(attempt.lot, attempt.lot))
    return found
