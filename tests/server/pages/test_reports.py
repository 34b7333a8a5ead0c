"""Files of a report: their types, their sandbox, and the page that frames them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.server.reports import entries_of, headers_of

SHUT = "default-src 'none'; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
STILL = f"sandbox; {SHUT}; style-src 'unsafe-inline'; img-src data:"
SCRIPTED = (
    f"sandbox allow-scripts; {SHUT}; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


@pytest.mark.parametrize(
    ("name", "policy", "content_type", "disposition"),
    [
        ("index.html", STILL, "text/html; charset=utf-8", None),
        ("evidently.html", SCRIPTED, "text/html; charset=utf-8", None),
        ("Evidently.html", STILL, "text/html; charset=utf-8", None),
        ("evidently.json", STILL, "application/json", None),
        ("drift.svg", STILL, "application/octet-stream", "attachment"),
        ("page.xhtml", STILL, "application/octet-stream", "attachment"),
        ("notes", STILL, "application/octet-stream", "attachment"),
    ],
)
def test_a_file_has_its_type_by_a_table_and_is_put_into_a_sandbox(name, policy, content_type, disposition):
    headers = headers_of(name)
    assert headers["Content-Security-Policy"] == policy
    assert headers["Content-Type"] == content_type
    assert headers.get("Content-Disposition") == disposition
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"


@given(st.text().filter(lambda name: name != "evidently.html"))
def test_no_other_file_may_run_a_script(name):
    policy = headers_of(name)["Content-Security-Policy"]
    assert policy.startswith("sandbox; ")
    assert "script" not in policy


def test_files_come_in_the_order_in_which_people_want_them():
    entries = entries_of(["z.json", "evidently.json", "evidently.html", "a.txt", "index.html"])
    assert [entry.name for entry in entries] == ["index.html", "evidently.html", "evidently.json", "a.txt", "z.json"]
    assert [entry.in_frame for entry in entries] == [True, True, False, False, False]


def test_a_file_is_served_as_it_was_stored(shelved):
    path = f"/v1/verdicts/{shelved.verdicts['failed']}/report/evidently.html"
    answer = shelved.client.get(path)
    assert answer.status_code == 200
    assert answer.content == shelved.service.archive.report_file(shelved.verdicts["failed"], "evidently.html")
    assert answer.headers.get_list("content-security-policy") == [SCRIPTED]
    assert answer.headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    again = shelved.client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == SCRIPTED


def test_a_file_is_found_by_the_beginning_of_the_verdicts_id(shelved):
    verdict_id = shelved.verdicts["failed"]
    answer = shelved.client.get(f"/v1/verdicts/{verdict_id[:8]}/report/index.html")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/v1/verdicts/{verdict_id}/report/index.html"


@pytest.mark.parametrize("name", ["nothing.html", "..%2Fgate.db", "%00", "index.html%00"])
def test_a_file_that_is_not_in_the_report_is_not_found(shelved, name):
    answer = shelved.client.get(f"/v1/verdicts/{shelved.verdicts['failed']}/report/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_around_a_file_frames_it_in_a_sandbox(shelved):
    verdict_id = shelved.verdicts["failed"]
    page = shelved.text(f"/verdicts/{verdict_id}/report/?file=evidently.html")
    assert 'sandbox="allow-scripts" referrerpolicy="no-referrer"' in page
    assert f'src="/v1/verdicts/{verdict_id}/report/evidently.html"' in page
    assert f'href="/v1/verdicts/{verdict_id}/report/evidently.json"' in page
    first = shelved.text(f"/verdicts/{verdict_id}/report/")
    assert f'src="/v1/verdicts/{verdict_id}/report/index.html"' in first


def test_only_pages_of_the_report_can_be_framed(shelved):
    for name in ("evidently.json", "https://evil.example", "../../livez"):
        answer = shelved.client.get(f"/verdicts/{shelved.verdicts['failed']}/report/", params={"file": name})
        assert answer.status_code == 404
        assert "evil.example" not in answer.text.replace("The report has no page https://evil.example.", "")


def test_a_verdict_without_a_report_says_so(shelved):
    assert "No report is kept for this verdict" in shelved.text(f"/verdicts/{shelved.verdicts['promote']}/report/")


def test_addresses_of_a_report_lead_to_the_one_that_stays(shelved):
    verdict_id = shelved.verdicts["failed"]
    answer = shelved.client.get(f"/verdicts/{verdict_id}/report")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/verdicts/{verdict_id}/report/")
    answer = shelved.client.get(f"/verdicts/{verdict_id[:8]}/report/?file=index.html")
    assert answer.headers["location"] == f"/verdicts/{verdict_id}/report/?file=index.html"
    assert shelved.client.get("/verdicts/00000000-none/report/").status_code == 404
