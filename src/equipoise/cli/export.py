"""`equipoise export STORE --format dataset-json -o DIR`: SDTM datasets from the ledger, one file each."""

from __future__ import annotations

import argparse
from pathlib import Path

from equipoise.cli.answer import Answer, done, occupied, refused
from equipoise.desk.archive import export_archive, export_datasets
from equipoise.words.canonical import Json
from equipoise.words.problem import Problem, problem


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    command = subjects.add_parser("export", help="write datasets or an archive from a store")
    command.add_argument("store", type=Path)
    command.add_argument("--format", choices=("dataset-json", "archive"), required=True)
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    command.add_argument("--json", action="store_true", help="print one JSON value")
    command.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> Answer:
    if occupied(options.output):
        return refused((problem("cli.folder-not-empty", str(options.output)),))
    write = export_datasets if options.format == "dataset-json" else export_archive
    written = write(options.store, options.output)
    if isinstance(written, Problem):
        return refused((written,))
    value: list[Json] = [{"file": str(path), "records": records} for path, records in written]
    return done(value, *(f"{path}  {records} records" for path, records in written))
