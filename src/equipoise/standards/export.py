"""Files of a dataset export: one per dataset, named after it in lower case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from equipoise.ledger.entries import RangeRow, Recorded
from equipoise.protocol.study import Study
from equipoise.standards.dataset_json import write_dataset
from equipoise.standards.sdtm import sdtm


def export_dataset_json(
    study: Study,
    subjects: Iterable[Sequence[Recorded]],
    ranges: Mapping[str, tuple[RangeRow, ...]],
    out: Path,
    at: dt.datetime,
    *,
    rehearsal: bool,
) -> tuple[Path, ...]:
    """Write every SDTM dataset as Dataset-JSON into the folder `out`, made when missing; the files written, in order.

    Each file appears whole or not at all: it is written beside its place and moved there. `at` is the creation time
    that the files state, `ranges` are reference ranges by site. Raises OSError when the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, dataset in sdtm(study, subjects, ranges, rehearsal=rehearsal).items():
        path = out / f"{name.lower()}.json"
        beside = path.with_suffix(".json.part")
        beside.write_bytes(write_dataset(dataset, at))
        beside.replace(path)
        written.append(path)
    return tuple(written)
