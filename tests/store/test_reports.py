"""Report files come back byte for byte, and what they share is stored once."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.errors import StoreError
from gate.flow.document import document_of
from gate.store import reports

SCRIPT = b"<script>" + b"var bundle = 1;\n" * 1000 + b"</script>"


def page(title: str) -> bytes:
    """A report: a title, a bundle that all share, and data of its own."""
    return (
        f"<html><title>{title}</title>".encode() + SCRIPT + f"<script>draw('{title * 3000}')</script></html>".encode()
    )


@pytest.fixture
def blobs(gate):
    def do() -> int:
        with gate.database.reading() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar()

    return do


texts = st.lists(
    st.one_of(
        st.sampled_from([b"<script", b"</script>", b"<script>", b"<", b"", SCRIPT, b"x" * 5000]), st.binary(max_size=30)
    ),
    max_size=12,
).map(b"".join)


@given(texts)
def test_the_pieces_of_a_file_are_the_file(content):
    pieces = reports.cut(content)
    assert b"".join(pieces) == content
    assert pieces == [b""] or all(pieces)


@given(st.binary(max_size=20_000))
def test_a_packed_piece_unpacks(content):
    assert reports._intact(hashlib.sha256(content).digest(), reports._compress(content), "name") == content


def test_a_large_piece_unpacks():
    content = b"0123456789" * 200_000
    packed = reports._compress(content)
    assert not packed.startswith(reports._XZ)
    assert reports._intact(hashlib.sha256(content).digest(), packed, "name") == content


def test_without_lzma_pieces_are_packed_all_the_same(monkeypatch):
    packed_before = reports._compress(b"x")
    monkeypatch.setattr(reports, "_HAS_LZMA", False)
    assert reports._intact(hashlib.sha256(b"y").digest(), reports._compress(b"y"), "name") == b"y"
    with pytest.raises(StoreError) as raised:
        reports._intact(hashlib.sha256(b"x").digest(), packed_before, "a.html")
    assert str(raised.value) == "report file 'a.html': it is packed with lzma, which this Python was built without"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20), texts, max_size=4))
def test_any_report_comes_back(gate, new_verdict, report):
    name = f"v-{gate.verdicts.totals().get(('pilot', 'failed', 'api'), 0)}"
    verdict = new_verdict(name)
    gate.verdicts.save(verdict, document_of(verdict), report=report)
    assert gate.verdicts.report_names(name) == sorted(report)
    assert {each: gate.verdicts.report_file(name, each) for each in report} == report


def test_a_file_that_is_not_there_is_none(store, save):
    save("v-1", report={"index.html": b""})
    save("v-2")
    assert store.report_file("v-1", "index.html") == b""
    for verdict_id, name in (("v-1", "other.html"), ("v-2", "index.html"), ("v-3", "index.html"), ("v-1", "a\0")):
        assert store.report_file(verdict_id, name) is None
    assert store.report_names("v-2") == store.report_names("v-3") == store.report_names("\0") == []


def test_what_reports_share_is_stored_once(store, save, blobs):
    save("v-1", report={"a.html": page("one")})
    first = blobs()
    save("v-2", report={"a.html": page("two"), "again.html": page("two"), "b.html": page("one")})
    assert blobs() == first + 2  # the small beginning with its title, and the data
    assert store.report_file("v-2", "a.html") == page("two")


def test_a_report_is_stored_once_when_many_store_it_at_once(store, new_verdict, blobs):
    store.totals()
    barrier = threading.Barrier(6)

    def save(number: int) -> None:
        verdict = new_verdict(f"v-{number}")
        document = document_of(verdict)
        barrier.wait(30)
        store.save(verdict, document, report={"a.html": page("one"), f"{number}.html": page("two")})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(save, range(6)))
    assert blobs() == len(reports.digests({"a": page("one"), "b": page("two")}))
    assert all(store.report_file(f"v-{number}", "a.html") == page("one") for number in range(6))


@pytest.mark.parametrize(
    "change", ["UPDATE blobs SET content = :junk", "UPDATE blobs SET content = substr(content, 1, 9)"]
)
def test_a_report_that_was_changed_is_no_report(store, save, edit, change):
    save(report={"a.html": b"page"})
    edit(change, **({"junk": b"\xfd7zXZ\x00junk"} if "junk" in change else {}))
    with pytest.raises(StoreError) as raised:
        store.report_file("11111111-aaaa", "a.html")
    assert str(raised.value) == "report file 'a.html' was changed after it was stored (its digest does not match)"


def test_pieces_that_were_swapped_are_noticed(store, save, edit):
    save("v-1", report={"a.html": b"one"})
    save("v-2", report={"a.html": b"two"})
    edit("UPDATE blobs SET content = (SELECT max(content) FROM blobs)")
    outcomes = []
    for name in ("v-1", "v-2"):
        try:
            outcomes.append(store.report_file(name, "a.html"))
        except StoreError:
            outcomes.append(None)
    assert sorted(outcomes, key=str) in ([None, b"one"], [None, b"two"])


@pytest.mark.parametrize("name", ["a\0.html", "\ud800"])
def test_a_name_that_no_database_takes_is_refused_in_words(store, save, name):
    with pytest.raises(StoreError) as raised:
        save(report={"index.html": b"page", name: b"page"})
    assert str(raised.value) == "report file 2: text with a NUL character or half a surrogate pair cannot be stored"
    assert store.find("11111111-aaaa") is None


def test_a_piece_that_is_purged_while_a_report_with_it_is_packed_is_stored_again(store, save, monkeypatch):
    """Between the look at what is stored and the transaction, a purge may run."""
    stored = reports.digests({"a.html": page("one")})
    monkeypatch.setattr(reports, "stored_among", _lies_once(reports.stored_among, stored))
    save(report={"a.html": page("one")})
    assert store.report_file("11111111-aaaa", "a.html") == page("one")


def _lies_once(honest, stored):
    answers = [stored]

    def answer(connection, wanted):
        return answers.pop() if answers else honest(connection, wanted)

    return answer
