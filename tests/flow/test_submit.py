from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.domain.evaluation import ClientPolicy, State, Submission, Trigger, Trouble
from gate.errors import ClientPolicyError, EngineError, KeyReusedError, OverError, TooBusyError, UsageError
from gate.flow.submit import evaluation_id

TOY = Submission("models:/toy/1")


def submit(desk, now, submission=TOY, principal="anonymous", key="k"):
    return desk.submit(submission, principal=principal, key=key, now=now)


def unfinished(store):
    return [store.evaluations.get(name) for name, _ in store.evaluations.open_ids()]


def test_a_request_is_recorded_and_put_in_line(desk, line, store, now):
    evaluation, is_new = submit(desk, now)
    assert is_new
    assert store.evaluations.get(evaluation.id) == evaluation
    assert (evaluation.state, evaluation.model_name, evaluation.expires_at) == (
        State.QUEUED, "toy", now + timedelta(hours=1),
    )  # fmt: skip
    assert line.submitted == [(evaluation.id, "toy")]


def test_asking_twice_is_asking_once(desk, store, now):
    first, _ = submit(desk, now)
    again, is_new = submit(desk, now + timedelta(minutes=5))
    assert (again, is_new) == (first, False)
    assert len(unfinished(store)) == 1


def test_who_asks_and_by_which_key_names_the_evaluation(desk, now):
    names = {
        submit(desk, now, principal=principal, key=key)[0].id for principal in ("ann", "bob") for key in ("k", "l")
    }
    assert len(names) == 4


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_no_two_pairs_of_principal_and_key_have_one_name(one, other):
    assert (evaluation_id(*one) == evaluation_id(*other)) == (one == other)


def test_a_key_that_comes_with_another_request_says_what_differs(desk, now):
    submit(desk, now)
    with pytest.raises(KeyReusedError) as caught:
        submit(desk, now, Submission("models:/toy/2", enforced=False))
    assert str(caught.value) == (
        'this Idempotency-Key was used for another request: model was "models:/toy/1" and is "models:/toy/2"; '
        "enforced was true and is false"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(field=st.sampled_from(["model", "stage", "reference", "current", "enforced", "trigger"]), data=st.data())
def test_every_field_is_part_of_the_request(desk, now, field, data):
    values = {"model": st.just("models:/toy/9"), "enforced": st.just(False), "trigger": st.just(Trigger.UI)}
    changed = replace(TOY, **{field: data.draw(values.get(field, st.sampled_from(["a", "b"])))})
    submit(desk, now)
    with pytest.raises(KeyReusedError) as caught:
        submit(desk, now, changed)
    assert [difference.split()[0] for difference in caught.value.differences] == [field]


def test_what_is_no_model_uri_is_refused_and_not_recorded(desk, store, now):
    with pytest.raises(UsageError):
        submit(desk, now, Submission("toy/1"))
    assert not unfinished(store)


def test_a_policy_that_is_not_wanted_is_refused_and_not_recorded(desk, store, now):
    with pytest.raises(ClientPolicyError):
        submit(desk, now, replace(TOY, policy=ClientPolicy("p.yaml", "policy: gate/v1\n")))
    assert not unfinished(store)


def test_a_line_that_is_away_leaves_a_record_that_asking_again_puts_in_line(desk, line, store, now, monkeypatch):
    def away(_id, _model):
        raise EngineError("engine: away")

    with monkeypatch.context() as patched:
        patched.setattr(line, "submit", away)
        with pytest.raises(EngineError):
            submit(desk, now)
    [recorded] = unfinished(store)
    again, is_new = submit(desk, now)
    assert (again, is_new) == (recorded, False)
    assert line.submitted == [(recorded.id, "toy")]


def test_a_full_line_takes_nothing_new_and_still_knows_what_it_has(desk, now):
    desk.most_waiting = 2
    moments = iter(range(0, 1000, 10))
    desk.clock = lambda: next(moments)
    kept = [submit(desk, now, key=key)[0] for key in "ab"]
    with pytest.raises(TooBusyError) as caught:
        submit(desk, now, key="c")
    assert str(caught.value) == "2 evaluations wait already; ask again in 30 s"
    assert [submit(desk, now, key=key)[0] for key in "ab"] == kept


def test_cancelling_is_for_what_is_not_over_and_twice_is_once(desk, line, now):
    evaluation, _ = submit(desk, now)
    for _ in range(2):
        cancelled = desk.cancel(evaluation.id, now)
        assert cancelled.state is State.CANCELLED
    assert line.cancelled == [evaluation.id]
    assert desk.cancel("unknown", now) is None


def test_what_ended_in_error_is_not_cancelled(desk, store, now):
    evaluation, _ = submit(desk, now)
    store.evaluations.end(evaluation.id, State.ERROR, now, Trouble("data-unreadable", "gone"))
    with pytest.raises(OverError) as caught:
        desk.cancel(evaluation.id, now)
    assert str(caught.value) == f"evaluation {evaluation.id} is over already: it is error"


@pytest.mark.parametrize("state", [State.ERROR, State.CANCELLED])
def test_what_ended_without_a_verdict_is_tried_again_under_a_linked_name(desk, line, store, now, state):
    old, _ = submit(desk, now)
    store.evaluations.end(old.id, state, now, Trouble("data-unreadable", "gone"))
    new, is_new = desk.retry(old.id, now)
    assert is_new
    assert new.id != old.id
    assert (new.retry_of, new.submission, new.state) == (old.id, old.submission, State.QUEUED)
    assert line.submitted[-1] == (new.id, "toy")
    assert desk.retry(old.id, now) == (new, False)
    store.evaluations.end(new.id, State.ERROR, now, Trouble("data-unreadable", "gone"))
    newest, _ = desk.retry(new.id, now)
    assert newest.id not in (old.id, new.id)


def test_what_is_not_over_is_not_tried_again(desk, now):
    evaluation, _ = submit(desk, now)
    with pytest.raises(OverError) as caught:
        desk.retry(evaluation.id, now)
    assert str(caught.value) == (
        f"evaluation {evaluation.id} is queued; only one that ended in error or was cancelled can be tried again"
    )
    assert desk.retry("unknown", now) is None
