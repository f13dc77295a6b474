"""What is kept by identity: made once for each object, never handed out for another, and never more than so many.

Source: the rule at the head of `words.kept`.
"""

from __future__ import annotations

from equipoise.words.kept import Kept


def test_what_is_made_of_an_object_is_made_once():
    made = []
    kept = Kept(lambda of: made.append(of) or len(made), 3)
    one, other = ["a"], ["a"]  # equal, and two objects
    assert [kept(one), kept(one), kept(other), kept(one)] == [1, 1, 2, 1]
    assert len(made) == 2


def test_there_are_never_more_than_so_many_and_the_answer_is_the_same_without():
    kept: Kept[list[int], tuple[int, ...]] = Kept(tuple, 2)
    lists = [[number] for number in range(5)]
    assert [kept(one) for one in lists] == [(0,), (1,), (2,), (3,), (4,)]
    assert len(kept._known) <= 2
    assert kept(lists[0]) == (0,)


def test_an_object_that_is_kept_is_held_so_that_no_other_takes_its_identity():
    kept = Kept(lambda of: of[0], 10)
    assert [kept([number]) for number in range(10)] == list(range(10))  # each list has no other holder
