"""Instrument files: read, check, keep. `scale("NIHSS")` is the door most rooms use.

The rule that must stay true: a file whose numbers do not add up is refused as a whole, with every fault named.
The shipped files are ours, so a fault in one of them is a bug and raises; a file given by a user yields Problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pydantic import ValidationError
from yaml import YAMLError

from equipoise.instruments.checks import faults
from equipoise.instruments.join import join
from equipoise.instruments.notation import ScaleShape
from equipoise.instruments.scales import Scale
from equipoise.words.problem import Problem, problem
from equipoise.words.yaml_text import yaml_values


def scale(scale_id: str) -> Scale | None:
    """The scale of that id (`NIHSS`, `MRS`, `FMA`, `BI`, `MMSE`), or None."""
    return scales().get(scale_id)


@cache
def scales() -> Mapping[str, Scale]:
    """Every scale that ships, by id. Raises ValueError when a shipped file is at fault."""
    found: dict[str, Scale] = {}
    for path in sorted(
        files("equipoise.instruments").joinpath("data").iterdir(), key=lambda entry: entry.name
    ):
        if not path.name.endswith(".yaml"):
            continue
        result = read_scale(path.read_text("utf-8"), path.name)
        if not isinstance(result, Scale):
            raise ValueError("; ".join(f"{fault.where}: {fault.say()}" for fault in result))
        found[result.id] = result
    return MappingProxyType(found)


def read_scale(text: str, where: str) -> Scale | tuple[Problem, ...]:
    """The scale in the text of an instrument file, or everything that is wrong with it. `where` names the file."""
    try:
        document = yaml_values(text)
    except YAMLError as fault:
        return (problem("instruments.file-not-yaml", where, fault=" ".join(str(fault).split())),)
    try:
        shape = ScaleShape.model_validate(document)
    except ValidationError as invalid:
        return tuple(
            problem(
                "instruments.file-shape",
                f"{where}: {'.'.join(str(step) for step in fault['loc'])}",
                fault=fault["msg"],
            )
            for fault in invalid.errors()
        )
    return tuple(faults(shape, where)) or join(shape)
