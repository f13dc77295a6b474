"""Virtual participants: a model of people as data, and whoever is drawn from it.

Others use the names below: `load_people(folder, study)`, `draw_participant(model, study, scenario, seed, index,
opens)`.
"""

from equipoise.simulation.people.course import Course
from equipoise.simulation.people.definition import PeopleModel
from equipoise.simulation.people.diary import DiaryEntry
from equipoise.simulation.people.load import load_people
from equipoise.simulation.people.moments import Lived
from equipoise.simulation.people.participant import Forms, VirtualParticipant, draw_participant

__all__ = [
    "Course",
    "DiaryEntry",
    "Forms",
    "Lived",
    "PeopleModel",
    "VirtualParticipant",
    "draw_participant",
    "load_people",
]
