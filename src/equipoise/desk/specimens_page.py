"""Specimens as the first door shows them: tubes of a subject by kit and visit, shipments of a site, files of results.

The rules that must stay true: of a test whose value could tell an arm every participant has the same fixed words,
whether something was reported or not; a shipment and a manifest name numbers and nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.access.commands import Who
from equipoise.access.decide import may, may_read
from equipoise.capture.quantified import CODES, UNCOUNTED
from equipoise.capture.specimens.commands import CollectSpecimen, ImportResults, ReceiveShipment, SendShipment
from equipoise.capture.specimens.evolve import Aliquot, State, Tube
from equipoise.capture.specimens.importing import Judged
from equipoise.capture.specimens.results import numbers_in, tests_of
from equipoise.desk.desk import Desk
from equipoise.desk.followers import SITES
from equipoise.desk.laboratory import collected, judged_results, shipment
from equipoise.desk.specimen_tables import ALIQUOTS, IMPORTS, SHIPMENTS
from equipoise.ledger.entries import ShipmentDispatched, SpecimenShipmentReceived
from equipoise.ledger.facts import Occasion
from equipoise.ledger.reader import Reader
from equipoise.protocol.specimens import Kit, Laboratory, Storage
from equipoise.protocol.study import Study
from equipoise.words.text import Text

READS = "specimens"
MANY = 300
"""Lines of a list at most."""


@dataclass(frozen=True, slots=True)
class ResultView:
    """One test of a tube. `value` is None where nothing was reported; `behind`: its value is kept elsewhere, always."""

    code: str
    label: Text
    value: Text | None
    behind: bool


@dataclass(frozen=True, slots=True)
class TubeView:
    """One kit at one visit: its tube in use, those voided before it, aliquots, and results of open tests."""

    kit: Kit
    visit: str
    visit_label: Text
    state: Literal["PLANNED", "COLLECTED", "MISSED"]
    tube: Tube | None
    voided: tuple[Tube, ...]
    missed: str
    aliquots: tuple[Aliquot, ...]
    results: tuple[ResultView, ...]


@dataclass(frozen=True, slots=True)
class SpecimensView:
    """The specimens page of a subject."""

    number: str
    site: str
    zone: str
    now: str
    rows: tuple[TubeView, ...]
    storages: tuple[Storage, ...]
    thaws_at_most: int
    may: bool


@dataclass(frozen=True, slots=True)
class StockLine:
    """An aliquot in a site's stock."""

    aliquot: str
    kit: Text
    storage: str


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """One shipment in the list; moments are UTC, `received_at` empty while it is on its way."""

    shipment: str
    site: str
    laboratory: str
    sent_at: str
    received_at: str
    count: int
    wrong: int


@dataclass(frozen=True, slots=True)
class ShipmentsView:
    """The shipments that the reader may see; `stock` of `site`, the reader's own, where they may send."""

    site: str
    zone: str
    now: str
    stock: tuple[StockLine, ...]
    lines: tuple[ShipmentLine, ...]
    laboratories: tuple[Laboratory, ...]
    storages: tuple[Storage, ...]
    may_send: bool


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """One shipment with its manifest: aliquot, kit, volume."""

    sent: ShipmentDispatched
    received: SpecimenShipmentReceived | None
    zone: str
    now: str
    laboratory: Text
    condition: Text
    manifest: tuple[tuple[str, Text, str], ...]
    may_receive: bool


@dataclass(frozen=True, slots=True)
class ResultsView:
    """The page of a laboratory's files."""

    laboratories: tuple[Laboratory, ...]
    imports: tuple[tuple[str, str, str, int, bool], ...]
    """(report, laboratory, moment (UTC), lines, whether it corrects), newest first."""
    may: bool


def specimens_page(desk: Desk, who: Who, number: str) -> SpecimensView | None:
    """The tubes of a subject; None where the reader may not see them."""
    with desk.reading() as reader:
        subject = desk.may_read(reader, who, READS, number)
        if subject is None:
            return None
        now = desk.standing_light(reader, subject)
    study, state = now.trial.study, now.case.specimens
    rows = tuple(
        _row(study, state, kit, visit.id, visit.label)
        for visit in study.schedule.visits
        for kit in study.specimens.kits
        if visit.id in kit.visits
    )
    collects = may(who, CollectSpecimen(subject, "", "", "", "U"), now.facts) is None
    return SpecimensView(
        number, now.facts.subject_site or "", now.site.zone, now.now.isoformat(), rows, study.specimens.storages,
        study.specimens.thaws_at_most, collects,
    )  # fmt: skip


def _row(study: Study, state: State, kit: Kit, visit: str, label: Text) -> TubeView:
    tube, missed = state.current(kit.id, visit), state.missed.get((kit.id, visit), "")
    before = tuple(
        one for one in state.tubes.values() if (one.kit, one.visit) == (kit.id, visit) and one.voided
    )
    found: Literal["PLANNED", "COLLECTED", "MISSED"] = (
        "COLLECTED" if tube is not None else "MISSED" if missed else "PLANNED"
    )
    aliquots = tuple(state.aliquots[one] for one in tube.aliquots) if tube is not None else ()
    results = tuple(_results(study, state, kit, tube))
    return TubeView(kit, visit, label, found, tube, before, missed, aliquots, results)


def _results(study: Study, state: State, kit: Kit, tube: Tube | None) -> list[ResultView]:
    open_tests = set(tests_of(study, kit, revealing=False))
    found = []
    for test in kit.tests:
        form = study.form(test.form)
        item = form.item(test.item) if form is not None else None
        label = item.label if item is not None else Text(test.code)
        said = (
            state.reported.get((tube.specimen, test.code))
            if tube is not None and test in open_tests
            else None
        )
        value = None
        if said is not None:
            mark = "<" if said.below else ">" if said.above else ""
            value = Text(f"{mark}{said.value} {said.unit}".strip())
            if mark:
                words = UNCOUNTED[CODES[mark]]
                value = Text(f"{value.en} ({words.en})", f"{value.en}（{words.say('zh')}）")
        found.append(ResultView(test.code, label, value, test not in open_tests))
    return found


def shipments_page(desk: Desk, who: Who) -> ShipmentsView | None:
    """Shipments, and what may be sent from the reader's own site."""
    if not may_read(who, READS, None):
        return None
    with desk.reading() as reader:
        study = desk.trial(reader).study
        zones = _zones(reader, who)
        own = next((grant.site for grant in who.grants if grant.role == who.role and grant.site), "") or ""
        may_send = own in zones and _may(desk, reader, who, SendShipment(own, "", "", (), "", ""))
        stock = reader.rows.find(ALIQUOTS, {"site": own, "state": "STORED"}, order=("aliquot",), limit=MANY)
        rows = reader.rows.find(
            SHIPMENTS, {"site": list(zones)}, order=("sent_at",), descending=True, limit=MANY
        )
        kits = {one.specimen: one.kit for one in collected(reader).values()}
    lines = tuple(
        ShipmentLine(
            str(row["shipment"]),
            str(row["site"]),
            str(row["laboratory"]),
            str(row["sent_at"]),
            str(row["received_at"] or ""),
            int(row["count"] or 0),
            int(row["wrong"] or 0),
        )
        for row in rows
    )
    found = tuple(
        StockLine(
            str(row["aliquot"]), _kit_label(study, kits.get(str(row["specimen"]), "")), str(row["storage"])
        )
        for row in stock
    )
    return ShipmentsView(
        own, zones.get(own, "UTC"), desk.now().isoformat(), found if may_send else (), lines,
        study.specimens.laboratories, study.specimens.storages, may_send,
    )  # fmt: skip


def shipment_page(desk: Desk, who: Who, name: str) -> ShipmentView | None:
    """One shipment; None where there is none that the reader may see."""
    with desk.reading() as reader:
        study, zones = desk.trial(reader).study, _zones(reader, who)
        one = shipment(reader, name)
        if one.sent is None or one.sent.site not in zones:
            return None
        rows = {str(row["aliquot"]): row for row in reader.rows.find(ALIQUOTS, {"shipment": name})}
        tubes = collected(reader)
        asked = ReceiveShipment(one.sent.site, name, "", "FROZEN")
        may_receive = _may(desk, reader, who, asked)
    manifest = []
    for aliquot in one.sent.aliquots:
        specimen = str(rows[aliquot]["specimen"]) if aliquot in rows else ""
        kit = study.specimens.kit(tubes[specimen].kit) if specimen in tubes else None
        manifest.append((aliquot, kit.label if kit else Text("–"), kit.aliquot_volume if kit else ""))
    labels = {each.id: each.label for each in study.specimens.laboratories}
    labels |= {each.id: each.label for each in study.specimens.storages}
    return ShipmentView(
        one.sent, one.received, zones[one.sent.site], desk.now().isoformat(),
        labels.get(one.sent.laboratory, Text(one.sent.laboratory)),
        labels.get(one.sent.condition, Text(one.sent.condition)), tuple(manifest),
        may_receive and one.received is None,
    )  # fmt: skip


def results_page(desk: Desk, who: Who) -> ResultsView | None:
    """What was taken in of laboratories' files."""
    if not may_read(who, "results", None):
        return None
    with desk.reading() as reader:
        study = desk.trial(reader).study
        rows = reader.rows.find(IMPORTS, order=("at",), descending=True, limit=MANY)
        may_import = _may(desk, reader, who, ImportResults("", "", ()))
    imports = tuple(
        (
            str(row["report"]),
            str(row["laboratory"]),
            str(row["at"]),
            int(row["lines"] or 0),
            bool(row["corrects"]),
        )
        for row in rows
    )
    return ResultsView(study.specimens.laboratories, imports, may_import)


def asked_import(desk: Desk, laboratory: str, text: str, *, corrects: bool) -> ImportResults:
    """The command for a file: it names the subjects whose tubes the file's numbers are."""
    with desk.reading() as reader:
        tubes = collected(reader)
    subjects = {tubes[number].subject for number in numbers_in(text) if number in tubes}
    return ImportResults(laboratory, text, tuple(sorted(subjects)), corrects)


def dry_run(desk: Desk, who: Who, command: ImportResults) -> Judged | None:
    """What a file would do; None for who may not take one in. Nothing is written."""
    with desk.reading() as reader:
        if not _may(desk, reader, who, command):
            return None
        now = desk.at_large(reader)
        return judged_results(
            reader, now, command, Occasion(now.now, now.site.zone, by=who.actor, role=who.role)
        )


def _may(desk: Desk, reader: Reader, who: Who, command: object) -> bool:
    return may(who, command, desk.at_large(reader).facts) is None


def _zones(reader: Reader, who: Who) -> dict[str, str]:
    rows = reader.rows.find(SITES, order=("site",))
    return {str(row["site"]): str(row["zone"]) for row in rows if may_read(who, READS, str(row["site"]))}


def _kit_label(study: Study, kit_id: str) -> Text:
    kit = study.specimens.kit(kit_id)
    return kit.label if kit is not None else Text("–")
