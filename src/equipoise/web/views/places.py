"""A form instance as addresses name it."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.web.views.reading import subject_path


@dataclass(frozen=True, slots=True)
class Place:
    """A form instance, as in its address."""

    number: str
    visit: str
    form: str
    repeat: int

    def instance(self) -> tuple[str, str, int]:
        """Visit, form and repetition, as the desk asks for them."""
        return self.visit, self.form, self.repeat

    def path(self, *more: object) -> str:
        """Its address."""
        repeat = (self.repeat,) if self.repeat != 1 else ()
        return subject_path(self.number, "forms", self.visit, self.form, *repeat, *more)
