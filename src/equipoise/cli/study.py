"""`equipoise study …`: import a public record, check a definition, list its assumptions, compare two, draw people."""

from __future__ import annotations

import argparse
from pathlib import Path

from equipoise.cli import people
from equipoise.cli.answer import Answer, done, language, line, occupied, problem_json, refused, told, visible
from equipoise.cli.files import read_whole, write_new
from equipoise.protocol.study import Study
from equipoise.words.problem import Problem, problem
from equipoise.words.text import LANGUAGES


def declare(subjects: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommands."""
    commands = subjects.add_parser("study", help="work on a study's definition").add_subparsers(required=True)
    bring = commands.add_parser(
        "import", help="make a study skeleton from a registry record or a saved trial page"
    )
    bring.add_argument("file", type=Path)
    bring.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    bring.set_defaults(run=_import)
    check = commands.add_parser("check", help="check a definition")
    check.add_argument("folder", type=Path)
    check.set_defaults(run=_check)
    assumptions = commands.add_parser("assumptions", help="list what the public record is silent on")
    assumptions.add_argument("folder", type=Path)
    assumptions.set_defaults(run=_assumptions)
    diff = commands.add_parser("diff", help="say what differs between two versions")
    diff.add_argument("before", type=Path)
    diff.add_argument("after", type=Path)
    diff.set_defaults(run=_diff)
    impact = commands.add_parser(
        "impact", help="say what a version would touch in a store, before its release"
    )
    impact.add_argument("store", type=Path)
    impact.add_argument("folder", type=Path)
    impact.set_defaults(run=_impact)
    crf = commands.add_parser("crf", help="print the case report forms as PDF, blank or annotated")
    crf.add_argument("folder", type=Path)
    crf.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    crf.add_argument("--annotated", action="store_true", help="with the SDTM target of every question")
    crf.add_argument("--form", action="append", default=[], metavar="ID", help="only this form; repeatable")
    crf.add_argument("--language", choices=LANGUAGES, default=None)
    crf.set_defaults(run=_crf)
    for command in (bring, check, assumptions, diff, impact, crf, people.declare(commands)):
        command.add_argument("--json", action="store_true", help="print one JSON value")


def read_study(folder: Path) -> Study | tuple[Problem, ...]:
    """The study in a folder, or every problem in it."""
    from equipoise.protocol.load import load_study

    if not folder.is_dir():
        return (problem("cli.no-study-folder", str(folder)),)
    return load_study(folder)


def _import(options: argparse.Namespace) -> Answer:
    from equipoise.standards.registry import LARGEST, import_registry, write_skeleton

    data = read_whole(options.file, LARGEST)
    if isinstance(data, Problem):
        return refused((data,))
    if occupied(options.output):
        return refused((problem("cli.folder-not-empty", str(options.output)),))
    imported = import_registry(data, visible(options.file.name))
    if isinstance(imported, tuple):
        return refused(imported)
    unwritten = write_skeleton(imported, options.output)
    if unwritten:
        return refused(unwritten)
    report = imported.report
    return done(report.as_json(), *report.lines(language()))


def _check(options: argparse.Namespace) -> Answer:
    from equipoise.protocol.check import check_definition
    from equipoise.protocol.digest import study_digest
    from equipoise.protocol.load import load_definition

    if not options.folder.is_dir():
        return refused((problem("cli.no-study-folder", str(options.folder)),))
    definition = load_definition(options.folder)
    if isinstance(definition, tuple):
        return refused(definition)
    study, findings = definition.study, check_definition(definition)
    faults = [finding for finding in findings if finding.fault]
    lines = [line(finding.problem) for finding in findings]
    value = {
        "study": study.id,
        "version": study.version,
        "digest": study_digest(study),
        "faults": [problem_json(finding.problem) for finding in faults],
        "remarks": [problem_json(finding.problem) for finding in findings if not finding.fault],
    }
    if faults:
        why = told("cli.faults", count=len(faults), first=line(faults[0].problem))
        return Answer(1, value, (*lines, why))
    return done(value, *lines, f"ok {study.id} {study.version} {value['digest']}")


def _impact(options: argparse.Namespace) -> Answer:
    from equipoise.desk.desk import open_desk
    from equipoise.desk.impact import KINDS, impact, kind_key

    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    desk = open_desk(options.store)
    if isinstance(desk, Problem):
        return refused((desk,))
    try:
        if desk.study.id != study.id:
            return refused((problem("oversight.other-study", given=study.id, study=desk.study.id),))
        with desk.reading() as reader:
            found = impact(desk, reader, study)
    finally:
        desk.close()
    lines = [change.say(language()) for change in found.changes]
    for site, count in found.participants.items():
        here = found.touched_participants(site)
        lines.append(told("amendments.impact-site", site=site, count=count, touched=here))
        counts = found.counts(site)
        lines += [f"    {told(kind_key(kind), n=counts[kind])}" for kind in KINDS if counts.get(kind)]
    lines += [f"{hit.number}  {hit.says.say(language())}" for hit in found.hits]
    return done(found.as_json(), *lines)


def _assumptions(options: argparse.Namespace) -> Answer:
    from equipoise.protocol.assumptions import list_assumptions

    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    held = list_assumptions(study)
    lines: list[str] = []
    for found in held:
        lines.append(f"{found.path}: {found.label}: {found.value}")
        lines.append(f"    {found.because}")
        lines.extend(f"    or: {alternative}" for alternative in found.alternatives)
    value = [
        {
            "path": found.path,
            "label": found.label,
            "value": found.value,
            "because": found.because,
            "alternatives": list(found.alternatives),
        }
        for found in held
    ]
    return done(value, *lines, told("cli.assumptions", count=len(held)))


def _diff(options: argparse.Namespace) -> Answer:
    from equipoise.protocol.diff import diff_studies

    studies = [read_study(options.before), read_study(options.after)]
    problems = [found for study in studies if isinstance(study, tuple) for found in study]
    if problems:
        return refused(problems)
    before, after = studies
    if isinstance(before, tuple) or isinstance(after, tuple):
        raise TypeError("a study that was read is not a list of problems")
    changes = diff_studies(before, after)
    value = [change.as_json() for change in changes]
    return done(
        value, *(change.say(language()) for change in changes), told("cli.changes", count=len(changes))
    )


def _crf(options: argparse.Namespace) -> Answer:
    from equipoise.documents.crf import crf_pdf
    from equipoise.documents.typeset import Issue
    from equipoise.protocol.digest import study_digest
    from equipoise.words.dates import parse_date

    study = read_study(options.folder)
    if isinstance(study, tuple):
        return refused(study)
    unknown = [form for form in options.form if study.form(form) is None]
    if unknown:
        return refused([problem("cli.no-such-form", form, form=form) for form in unknown])
    dated = parse_date(study.dated)
    on = dated.earliest if dated is not None and dated.complete else None
    made = crf_pdf(
        study,
        study_digest(study),
        Issue(study.acronym or study.id, on),
        forms=options.form,
        language=options.language or language(),
        annotated=options.annotated,
    )
    unwritten = write_new(options.output, made)
    if unwritten is not None:
        return refused((unwritten,))
    count = len(options.form) or len(study.forms)
    said = told("cli.crf-written", file=str(options.output), count=count)
    return done({"file": str(options.output), "forms": count}, said)
