"""What could tell an arm never reaches a blinded eye: a static check over the whole definition, made when it is loaded.

The rules that must stay true: an item marked revealing taints every rule that reads it; a tainted rule taints what it
writes (a derived value, an input, an item whose being shown it decides), and so on along every chain of any length;
nothing tainted may write, show or speak on the first side: no criterion, stratum, condition of dosing, input, reported
total, check on an open item, open derived value, or visibility of an open item. Rules whose whole result stays on
revealing items or revealing derived values belong to the second door and are free.
The analysis reads names, not values: it never needs a participant, and what it passes cannot leak at run time.
Source: Denning & Denning, Certification of programs for secure information flow, CACM 20 (1977) 504.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.protocol.checks.finding import Findings, fault
from equipoise.protocol.forms import Form
from equipoise.protocol.notation import Steps
from equipoise.protocol.rules import names_in
from equipoise.protocol.scopes import form_scale
from equipoise.protocol.study import Input, Study

Node = tuple[str, str]
"""(form, item or derived value), or ("", input): everything that holds a value."""
Chain = tuple[Node, ...]
"""How taint came: from a revealing item, step by step, to the node."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A rule whose result is seen on the first side, where it stands, and the nodes that it reads by the name used."""

    path: Steps
    reads: Mapping[str, Node]


def nothing_revealing_is_seen(study: Study) -> Findings:
    """A fault for every name, in every rule seen on the first side, that carries what a revealing item tells."""
    chains = tainted(study)
    for sink in _sinks(study):
        for name, node in sorted(sink.reads.items()):
            if node in chains:
                yield fault("protocol.study-taint", sink.path, name=name, via=_spoken(chains[node]))


def tainted(study: Study) -> Mapping[Node, Chain]:
    """Every node that carries what a revealing item tells, with the shortest chain by which it does."""
    readers: dict[Node, list[Node]] = {}
    for node, read in _edges(study):
        readers.setdefault(read, []).append(node)
    start = [
        (form.id, item.id) for form in study.forms for item in form.items if item.blinding == "revealing"
    ]
    start += [
        (form.id, one.id) for form in study.forms for one in form.derivations if one.blinding == "revealing"
    ]
    chains: dict[Node, Chain] = {node: (node,) for node in start}
    waiting = deque(start)
    while waiting:
        node = waiting.popleft()
        for reader in readers.get(node, []):
            if reader not in chains:
                chains[reader] = (*chains[node], reader)
                waiting.append(reader)
    return chains


def _edges(study: Study) -> Iterator[tuple[Node, Node]]:
    """(what is written, what is read for it): derived values, inputs, and items whose being shown a rule decides."""
    for form in study.forms:
        for derivation in form.derivations:
            for read in _reads(study, form, derivation.rule).values():
                yield (form.id, derivation.id), read
        for item in form.items:
            if item.visible_when is not None:
                for read in _reads(study, form, item.visible_when).values():
                    yield (form.id, item.id), read
    for each in study.inputs:
        for read in _origin(study, each):
            yield ("", each.name), read


def _reads(study: Study, form: Form | None, source: str) -> Mapping[str, Node]:
    """The nodes that a rule reads, by the names it uses; a form's own names come before the study's inputs."""
    own = {*(item.id for item in form.items), *(one.id for one in form.derivations)} if form else set()
    inputs = {each.name for each in study.inputs}
    return {
        name: (form.id, name) if form is not None and name in own else ("", name)
        for name in names_in(source)
        if name in own or name in inputs
    }


def _origin(study: Study, each: Input) -> Iterator[Node]:
    form = study.form(each.origin.form) if each.origin.form is not None else None
    if form is None:
        return
    if each.origin.item is not None:
        yield form.id, each.origin.item
        return
    used = form_scale(form)  # an assessment reads the scale's items, which a form's own item may stand in for
    yield from ((form.id, item.id) for item in (used.items if used is not None else ()))


def _sinks(study: Study) -> Iterator[Sink]:
    """Every rule whose result somebody on the first side sees."""
    yield from _study_sinks(study)
    for n, form in enumerate(study.forms):
        yield from _form_sinks(("forms", n), study, form)


def _study_sinks(study: Study) -> Iterator[Sink]:
    for n, criterion in enumerate(study.criteria):
        if criterion.rule is not None:
            yield Sink(("criteria", n, "rule"), _reads(study, None, criterion.rule))
    for n, factor in enumerate(study.randomization.factors if study.randomization is not None else ()):
        for k, level in enumerate(factor.levels):
            path: Steps = ("randomization", "factors", n, "levels", k, "rule")
            yield Sink(path, _reads(study, None, level.rule))
    for n, condition in enumerate(study.supply.gate):
        yield Sink(("supply", "gate", n, "rule"), _reads(study, None, condition.rule))
    total = study.eligibility.total_of
    if total is not None:
        yield Sink(("eligibility", "total_of"), {total: ("", total)})
    for n, each in enumerate(study.inputs):
        yield Sink(("inputs", n, "origin"), {name: (form, name) for form, name in _origin(study, each)})


def _form_sinks(path: Steps, study: Study, form: Form) -> Iterator[Sink]:
    """Rules of a form, but for those whose result is seen at revealing items, or is a revealing value, alone."""
    revealing = {item.id for item in form.items if item.blinding == "revealing"}
    for n, item in enumerate(form.items):
        if item.visible_when is not None and item.id not in revealing:
            yield Sink((*path, "items", n, "visible_when"), _reads(study, form, item.visible_when))
    if form.deadline is not None:
        yield Sink((*path, "deadline", "when"), _reads(study, form, form.deadline.when))
    if form.log is not None and form.log.ongoing is not None:
        yield Sink((*path, "log", "ongoing"), _reads(study, form, form.log.ongoing))
    for n, check in enumerate(form.checks):
        if not check.items or not set(check.items) <= revealing:
            yield Sink((*path, "checks", n, "holds"), _reads(study, form, check.holds))
    for n, derivation in enumerate(form.derivations):
        if derivation.blinding == "open":
            yield Sink((*path, "derivations", n, "rule"), _reads(study, form, derivation.rule))


def _spoken(chain: Chain) -> str:
    return " → ".join(f"{form}.{name}" if form else name for form, name in chain)
