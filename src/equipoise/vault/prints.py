"""The second door's documents, made of its own record: certificate, emergency cards, accountability log, bag labels.

The rules that must stay true: what is printed here stays with unblinded people, but for the certificate and the label,
from which no arm follows; cards are written down before they are made, and their codes are kept nowhere; whoever reads
a document is told days and hours in the site's own time.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from equipoise.documents.accountability import AccountedUnit, accountability_pdf, act
from equipoise.documents.card import cards_pdf
from equipoise.documents.certificate import Certificate, certificate_pdf
from equipoise.documents.label import BagLabel, RequestSlip, labels_pdf
from equipoise.documents.typeset import Issue, both, issue_of
from equipoise.ledger.entries import AllocationPublished
from equipoise.protocol.study import Study
from equipoise.randomization.predictability import Predictability
from equipoise.randomization.public import PublicList
from equipoise.randomization.sealing import NONCE_BYTES, UNDECIDED
from equipoise.vault.bench.scan import request_payload
from equipoise.vault.card_prints import PrintCards
from equipoise.vault.cards import arm_names, make_card
from equipoise.vault.certificate import certificate
from equipoise.vault.facts import PROGRAM
from equipoise.vault.slots import SlotBook
from equipoise.vault.stock.accountability import Line, accountability, balances
from equipoise.vault.stock.commands import ReceiveLot
from equipoise.vault.stock.evolve import Stock
from equipoise.vault.told import Told
from equipoise.vault.vault import Vault
from equipoise.words.ids import Entropy
from equipoise.words.problem import Problem, problem
from equipoise.words.text import Text

Names = Mapping[str, str]
"""actor -> name, as it is to be printed; an actor without one is printed by id."""
SHOWN_UNITS = 3
"""So many serial numbers are printed one by one; more are counted."""


def issue(study: Study, purpose: str, now: dt.datetime) -> Issue:
    """What stands on every document of a study on a day; a rehearsal never bears the registry's number."""
    return issue_of(study, now.date(), rehearsal=purpose == "rehearsal")


def cards_document(
    vault: Vault,
    numbers: Sequence[str],
    published: AllocationPublished | None,
    *,
    reason: str = "",
    entropy: Entropy = secrets.token_bytes,
) -> bytes | tuple[Problem, ...]:
    """Cards for public numbers of the published list, in its order; all of them where none is named.

    published: the list, where the first door has not told of it yet. Problems: `vault.list-missing`, those of a slot
    that does not open as it was committed to, `vault.card-undecided`, and those of `card_prints`.
    """
    study, label = vault.study, issue(vault.study, vault.purpose, vault.now())
    with vault.reading() as reader:
        known = vault.known(reader)
    listed = known.told.published or published
    book = vault.book
    if listed is None or book is None or not known.root:
        return (problem("vault.list-missing"),)
    every = [slot.number for slots in listed.slots.values() for slot in slots]
    wanted = [number for number in every if number in set(numbers)] if numbers else every
    if len(wanted) < len(set(numbers)):
        strange = sorted(set(numbers) - set(every))
        return (problem("vault.slot-unknown", strange[0]),)
    held = _contents(book, wanted, listed, known.root)
    if isinstance(held, Problem):
        return (held,)
    command = PrintCards(tuple(wanted), reason)
    written = vault.submit(PROGRAM, command, key=f"cards {entropy(16).hex()}")
    if not written.accepted:
        return written.problems
    arms = arm_names(study)
    cards = [make_card(label.study, number, *held[number], arms, entropy) for number in wanted]
    return cards_pdf(cards, arms, label)


def drill_card(vault: Vault, *, entropy: Entropy = secrets.token_bytes) -> bytes:
    """A card of nobody, to try the opener with: its number is DRILL and every arm of it is called a drill."""
    label = issue(vault.study, vault.purpose, vault.now())
    arms = tuple(both("documents.card-drill-arm") for _ in arm_names(vault.study)) or (
        both("documents.card-drill-arm"),
    )
    card = make_card(label.study, "DRILL", entropy(1)[0] % len(arms), entropy(NONCE_BYTES), arms, entropy)
    return cards_pdf([card], arms, label)


def _contents(
    book: SlotBook, numbers: Sequence[str], published: AllocationPublished, root: str
) -> dict[str, tuple[int, bytes]] | Problem:
    """Arm and nonce of every number, once each slot agrees with its commitment."""
    found: dict[str, tuple[int, bytes]] = {}
    for number in numbers:
        content = book.open(number, published, root)
        if isinstance(content, Problem):
            return content
        if content.arm == UNDECIDED:
            return problem("vault.card-undecided", number)
        found[number] = (content.arm, content.nonce)
    return found


def certificate_document(
    study: Study, public: PublicList, issued: Issue, figures: Predictability | None = None, held_at: str = ""
) -> bytes:
    """The certificate of a public list; it needs no vault."""
    made = certificate(study, public, figures, held_at)
    fields = {name: getattr(made, name) for name in Certificate.__dataclass_fields__}
    return certificate_pdf(Certificate(**fields), issued)


def accountability_document(vault: Vault, site: str, names: Names) -> bytes | Problem:
    """The log of a site with what belongs to no site, or of all where `site` is empty; every lot's balance."""
    study = vault.study
    place = next((one for one in study.sites if one.id == site), None)
    if site and place is None:
        return problem("vault.site-unknown", site, site=site)
    with vault.reading() as reader:
        lines = accountability(reader.entries("stock"))
        numbers = vault.known(reader).told.numbers
        stock = vault.state(reader, _ASKED)
    if not isinstance(stock, Stock):
        raise TypeError("the room of the stock has another state")
    zone = place.zone if place is not None else "UTC"
    printed = [
        _accounted(line, numbers, names, zone) for line in lines if line.site in {"", site} or not site
    ]
    label = f"{place.id} {place.name.en}" if place is not None else "–"
    return accountability_pdf(label, printed, balances(stock), issue(study, vault.purpose, vault.now()))


_ASKED = ReceiveLot("", "", (), "", "", "", "", "", "", "PENDING", "PENDING")


def _accounted(line: Line, numbers: Mapping[str, str], names: Names, zone: str) -> AccountedUnit:
    units = ", ".join(line.units) if len(line.units) <= SHOWN_UNITS else str(len(line.units))
    return AccountedUnit(
        local(line.at, zone),
        act(line.act),
        line.lot,
        units,
        numbers.get(line.subject, ""),
        line.bag,
        names.get(line.who, line.who),
        names.get(line.second, line.second),
        line.note,
    )


def label_document(vault: Vault, bags: Sequence[str]) -> bytes | Problem:
    """Labels of filled bags: number, use-by in the site's time, screening number, dose."""
    study = vault.study
    with vault.reading() as reader:
        stock, told = vault.state(reader, _ASKED), vault.known(reader).told
    if not isinstance(stock, Stock):
        raise TypeError("the room of the stock has another state")
    labels: list[BagLabel] = []
    for name in bags:
        bag = stock.bags.get(name)
        if bag is None:
            return problem("vault.bag-unknown", name, bag=name)
        at = local(bag.use_by, study.zone_of(told.sites.get(bag.subject, "")))
        labels.append(BagLabel(name, at, told.numbers.get(bag.subject, ""), _dose(study, told, bag.request)))
    return labels_pdf(labels, issue(study, vault.purpose, vault.now()))


def slip_document(vault: Vault, request: str) -> bytes | Problem:
    """The slip of a request, which is scanned beside its bag."""
    study = vault.study
    with vault.reading() as reader:
        told = vault.known(reader).told
    wanted = told.wanted.get(request)
    if wanted is None:
        return problem("vault.request-unheard-of", request, request=request)
    number, at = told.numbers.get(wanted.subject, ""), local(wanted.at, study.zone_of(wanted.site))
    slip = RequestSlip(request, request_payload(request), at, number, _dose(study, told, request))
    return labels_pdf([slip], issue(study, vault.purpose, vault.now()))


def _dose(study: Study, told: Told, request: str) -> Text | None:
    wanted = told.wanted.get(request)
    return next((one.label for one in study.supply.doses if wanted and one.id == wanted.infusion), None)


def local(moment: str, zone: str) -> str:
    """A UTC moment of the ledger in a zone, to the minute, with its offset; what is no moment stays as it stands."""
    try:
        found = dt.datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError):
        return moment
    offset = f"{found:%z}"
    return f"{found:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:]}"
