"""Specimens as a study plans them: kits, what is measured in them, where they are kept, and who measures.

Volumes are in mL as text, times in minutes. What a laboratory reports under `code` is captured in `item` of `form` at
the visit of the specimen; its unit, digits, limits and whether it could tell an arm are that item's own.
"""

from __future__ import annotations

from pydantic import Field

from equipoise.protocol.elements import Element, Name, Words


class SpecimenTest(Element):
    """One test of a kit: the code that the laboratory reports it under, and the item that holds it."""

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9_/-]{0,31}$")
    form: Name
    item: str


class Fill(Element):
    """Items of a form that the collection of a specimen fills in, where they are still empty."""

    form: Name
    date: str | None = None
    time: str | None = None
    accession: str | None = None


class Storage(Element):
    """A place where aliquots are kept, by its temperature."""

    id: Name
    label: Words


class Laboratory(Element):
    """A laboratory that receives aliquots and reports results."""

    id: Name
    label: Words


class Kit(Element):
    """What is drawn at a visit in one go, and what becomes of it.

    `spin_within` and `freeze_within`: minutes from collection within which the tube is spun and its aliquots are
    frozen; 0: no limit. `fasting`: whether the participant is to be fasting.
    """

    id: Name
    label: Words
    tube: Words
    visits: tuple[Name, ...]
    volume: str = ""
    fasting: bool = False
    spin_within: int = Field(default=0, ge=0)
    freeze_within: int = Field(default=0, ge=0)
    aliquots: int = Field(default=1, ge=1, le=99)
    aliquot_volume: str = ""
    storage: Name
    laboratory: Name
    tests: tuple[SpecimenTest, ...] = ()
    fills: Fill | None = None


class SpecimenPlan(Element):
    """Everything planned of specimens. `thaws_at_most`: how often an aliquot may be thawed before it is a deviation."""

    laboratories: tuple[Laboratory, ...] = ()
    storages: tuple[Storage, ...] = ()
    kits: tuple[Kit, ...] = ()
    thaws_at_most: int = Field(default=0, ge=0)

    def kit(self, kit_id: str) -> Kit | None:
        """The kit of that id, or None."""
        return next((kit for kit in self.kits if kit.id == kit_id), None)
