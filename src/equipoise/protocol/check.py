"""Whether a definition can be used, and what is still open in it.

The rule that must stay true: a study without faults never fails at run time for a name, a type or a unit. A
skeleton, whose criteria await their expressions, has remarks and no faults.
"""

from __future__ import annotations

from collections.abc import Iterable

from equipoise.protocol.checks.allocation import allocation_can_be_made
from equipoise.protocol.checks.diary import diary_can_be_kept
from equipoise.protocol.checks.double_entry import twice_can_be_typed
from equipoise.protocol.checks.fields import fields_make_sense, what_is_still_open
from equipoise.protocol.checks.finding import Finding
from equipoise.protocol.checks.imaging import images_can_be_read
from equipoise.protocol.checks.laboratory import ranges_make_sense
from equipoise.protocol.checks.languages import texts_are_complete
from equipoise.protocol.checks.naming import names_stand_once, references_exist
from equipoise.protocol.checks.plan import plan_names_what_is_there
from equipoise.protocol.checks.rules import located, rules_hold
from equipoise.protocol.checks.specimens import specimens_can_be_handled
from equipoise.protocol.checks.strata import levels_exclude_each_other
from equipoise.protocol.checks.supply import supply_can_be_handled
from equipoise.protocol.checks.taint import nothing_revealing_is_seen
from equipoise.protocol.load import Definition
from equipoise.protocol.parts import spell
from equipoise.protocol.study import Study

__all__ = ["Finding", "check_definition", "check_study"]


def check_study(study: Study) -> tuple[Finding, ...]:
    """Every fault, then every remark. `problem.where` is the path of the part, `forms.DM.items.SEX`."""
    return tuple(located(finding, spell(study, finding.path)) for finding in _found(study))


def check_definition(definition: Definition) -> tuple[Finding, ...]:
    """As `check_study` for a study read from files; `where` begins with file, line and column."""
    places = definition.places
    return tuple(located(finding, places.where(finding.path)) for finding in _found(definition.study))


def _found(study: Study) -> Iterable[Finding]:
    found = [
        *names_stand_once(study),
        *references_exist(study),
        *fields_make_sense(study),
        *rules_hold(study),
        *nothing_revealing_is_seen(study),
        *supply_can_be_handled(study),
        *specimens_can_be_handled(study),
        *images_can_be_read(study),
        *diary_can_be_kept(study),
        *twice_can_be_typed(study),
        *allocation_can_be_made(study),
        *levels_exclude_each_other(study),
        *ranges_make_sense(study),
        *plan_names_what_is_there(study),
        *texts_are_complete(study),
        *what_is_still_open(study),
    ]
    return sorted(dict.fromkeys(found), key=lambda finding: not finding.fault)
