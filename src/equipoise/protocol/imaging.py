"""Imaging as a study plans it: procedures, at which visits, of which kind, and how they are read centrally."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from equipoise.protocol.elements import Element, Name, Words


class ReadItem(Element):
    """An item of the read's form, and how far two readers may differ before a third decides.

    absolute: in the item's unit; relative: a share of the larger value; the wider of both counts. Neither: equal.
    """

    item: str
    absolute: Decimal | None = Field(default=None, ge=0)
    relative: Decimal | None = Field(default=None, ge=0, le=1)


class Procedure(Element):
    """One kind of imaging. `modalities`: DICOM codes (MR, CT, US, …) that its files may have.

    form: where it is captured, at the visit; read: items that two blinded readers score; empty for none.
    """

    id: Name
    label: Words
    modalities: tuple[str, ...]
    visits: tuple[Name, ...]
    form: Name
    read: tuple[ReadItem, ...] = ()


class ImagingPlan(Element):
    """Everything planned of imaging.

    certificates: the DICOM codes of images that only who holds a certificate for them reads.
    """

    procedures: tuple[Procedure, ...] = ()
    certificates: tuple[str, ...] = ()

    def procedure(self, name: str) -> Procedure | None:
        """The procedure of that id, or None."""
        return next((one for one in self.procedures if one.id == name), None)
