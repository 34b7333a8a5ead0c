from __future__ import annotations

import pytest

from gate.domain.dataset import Side
from gate.domain.evidence import Missing
from gate.domain.part import DistinctRows, Grid, GridOf, PatternCount
from gate.errors import DataError
from gate.evidence.asking import Ask, Sides, Unanswerable, ask, ask_both

A, B = DistinctRows(("a",)), DistinctRows(("b",))


class Scripted:
    """A dataset that answers from a script and remembers what it was asked, call by call."""

    def __init__(self, **answers):
        self.answers = {A: 1, B: 2, GridOf("x"): Grid(), **answers.get("parts", {})}
        self.calls = []

    def parts(self, requests):
        self.calls.append(list(requests))
        return {request: self.answers[request] for request in requests if request in self.answers}


@pytest.fixture
def sides():
    reference, current = Scripted(), Scripted()
    made = Sides(reference, current)
    made.reference, made.current = reference, current
    return made


def one(request, side=Side.CURRENT):
    return (yield from ask(int, side, request))


def test_all_questions_of_a_round_are_one_call_to_each_side(sides):
    def both(request):
        return (yield from ask_both(int, request))

    assert sides.settle({"a": both(A), "b": both(B), "again": both(A)}) == {"a": (1, 1), "b": (2, 2), "again": (1, 1)}
    assert sides.reference.calls == [[A, B]]
    assert sides.current.calls == [[A, B]]


def test_a_part_is_computed_once_even_in_a_later_round(sides):
    sides.settle({"first": one(A)})
    assert sides.settle({"second": one(A)}) == {"second": 1}
    assert sides.current.calls == [[A]]


def test_grids_go_first_so_that_everything_else_is_one_more_call(sides):
    def refined():
        yield from ask(Grid, Side.REFERENCE, GridOf("x"))
        return (yield from ask(int, Side.REFERENCE, B))

    sides.settle({"plain": one(A, Side.REFERENCE), "refined": refined()})
    assert sides.reference.calls == [[GridOf("x")], [A, B]]


def test_a_missing_part_ends_its_question_alone_and_names_the_side(sides):
    sides.current.answers[B] = Missing("there is no column 'b'", rows=7)
    ended = sides.settle({"a": one(A), "b": one(B)})
    assert ended == {"a": 1, "b": Missing("current: there is no column 'b'", rows=7)}


def test_a_part_that_the_dataset_forgets_is_broken_and_never_a_number(sides):
    request = PatternCount("c", "x")
    assert sides.settle({"c": one(request)}) == {"c": Missing(f"current: no answer to {request}", broken=True)}


def test_a_part_of_the_wrong_kind_is_broken(sides):
    sides.current.answers[A] = Grid()
    reason = "TypeError: expected int from the dataset, got Grid; this is a bug in gate"
    assert sides.settle({"a": one(A)}) == {"a": Missing(reason, broken=True)}


def test_a_question_can_end_itself(sides):
    def ends():
        yield from ask(int, Side.CURRENT, A)
        raise Unanswerable("x is null in all 3 rows", rows=3)

    assert sides.settle({"x": ends()}) == {"x": Missing("x is null in all 3 rows", rows=3)}


def test_a_crash_is_broken_and_takes_no_other_question_with_it(sides):
    def crashes():
        yield from ask(int, Side.CURRENT, A)
        raise ZeroDivisionError("division by zero")

    ended = sides.settle({"bad": crashes(), "good": one(B)})
    assert ended["bad"] == Missing("ZeroDivisionError: division by zero; this is a bug in gate", broken=True)
    assert ended["good"] == 2


def test_data_that_cannot_be_read_is_nobodys_missing(sides):
    def unreadable(_):
        raise DataError("file.parquet: truncated")

    sides.current.parts = unreadable
    with pytest.raises(DataError, match="truncated"):
        sides.settle({"a": one(A)})


def test_an_ask_is_a_value():
    assert Ask(Side.CURRENT, A) == Ask(Side.CURRENT, DistinctRows(("a",)))
