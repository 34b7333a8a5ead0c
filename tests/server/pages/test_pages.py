"""The pages as text: what they say, where they lead, and that nothing that people wrote is markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from shelf import HOSTILE
from sqlalchemy import text as sql

from gate.domain.verdict import Decision
from gate.server.site import POLICY, Links

VOID = {"meta", "br", "link", "img"}
PLAIN = HOSTILE.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b")


class Outline(HTMLParser):
    """Elements and text of a page; everything that opens closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def links(self) -> list[str]:
        return [str(attributes["href"]) for tag, attributes in self.elements if tag == "a"]


def outline(shelved, path: str) -> Outline:
    return Outline(shelved.text(path))


@pytest.fixture
def evil(shelved):
    """The name of the hostile model."""
    return shelved.client.get(f"/v1/verdicts/{shelved.verdicts['hostile']}").json()["model"]["name"]


# --- the portfolio ----------------------------------------------------------------------------------------------------


def test_the_portfolio_says_of_each_model_what_stands_in_the_way(shelved):
    page = outline(shelved, "/")
    assert "1 of 7 may go on today." in page.text
    assert "A check failed. fail temp moved 0.41 reference standard deviations" in page.text
    assert "churn-uplift version 2 · pilot Stale The promotion ended on" in page.text
    assert "day 87 of 121 34 days left" in page.text
    assert "19 days overdue" in page.text
    assert "champion serves version 1" in page.text
    assert "Running models:/bike-demand/3 for pilot" in page.text
    assert page.text.index("churn-uplift") < page.text.index("fraud-score") < page.text.index("income version 7")


def test_the_portfolio_can_be_asked_for_one_answer(shelved):
    page = outline(shelved, "/?show=stale")
    assert "Models whose answer is stale" in page.text
    assert "churn-uplift" in page.text
    assert "fraud-score" not in page.text
    assert "No model has this answer." in outline(shelved, "/?show=none").text


def test_a_portfolio_of_an_answer_that_does_not_exist_is_refused(shelved):
    answer = shelved.client.get("/?show=perhaps")
    assert answer.status_code == 400
    assert "show is one of hold, stale, report only, promote, none." in Outline(answer.text).text


def test_an_empty_portfolio_says_how_to_begin(another_gate):
    page = Outline(another_gate().client.get("/").text)
    assert "No model has been judged yet." in page.text
    assert "gate check models:/NAME/VERSION --server URL" in page.text


# --- a model ----------------------------------------------------------------------------------------------------------


def test_a_model_has_its_stages_its_next_step_and_its_history(shelved):
    page = outline(shelved, "/models/bike-demand")
    assert "Hold Version 2 in stage pilot A check failed. Next look at where temp comes from" in page.text
    assert "Hold Version 2 in stage wave-1 A check could not be made." in page.text
    assert "Who mobility-analytics" in page.text
    assert "Serving as champion version 1" in page.text
    assert "What changed since the last attempt in stage pilot" in page.text
    assert "▼ worse feature_drift, temp : new: fail" in page.text
    for name in ("old", "insufficient", "error", "failed", "wave"):
        assert f"/verdicts/{shelved.verdicts[name]}" in page.links()
    assert (
        "[![gate](https://gate.example.com/models/bike-demand/badge.svg)](https://gate.example.com/models/" in page.text
    )


def test_a_model_that_is_only_waited_for_has_a_page(shelved, another_gate):
    gate = another_gate()
    asked = gate.new("toy-a")
    page = Outline(gate.client.get("/models/toy-a").text)
    assert f"/evaluations/{asked['id']}" in page.links()


def test_an_unknown_model_is_a_page_that_is_not_found(shelved):
    answer = shelved.client.get("/models/no%20body")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert "404 There is no such page No verdict on a model called no body is kept here." in Outline(answer.text).text


def test_a_long_history_comes_in_pages(another_gate):
    gate = another_gate()
    for number in range(30):
        gate.service.judge(name="toy-b", version=str(number + 1))
    first = Outline(gate.client.get("/models/toy-b").text)
    [older] = [link for link in first.links() if "before=" in link]
    second = Outline(gate.client.get(older).text)
    rows = [sum(link.startswith("/verdicts/") for link in set(page.links())) for page in (first, second)]
    assert rows == [25, 6]  # the second has the five oldest, and on top the verdict of today
    assert not [link for link in second.links() if "before=" in link]
    assert gate.client.get("/models/toy-b?before=nonsense").status_code == 422


# --- a verdict --------------------------------------------------------------------------------------------------------


def test_a_verdict_says_all_that_it_rests_on(shelved):
    verdict_id = shelved.verdicts["failed"]
    document = shelved.client.get(f"/v1/verdicts/{verdict_id}").json()
    page = outline(shelved, f"/verdicts/{verdict_id}")
    assert "Hold bike-demand version 2 A check failed. Judged for stage pilot" in page.text
    assert "First in the way: feature_drift, temp" in page.text
    for finding in document["findings"]:
        assert " ".join(finding["reason"].split()) in page.text
        if finding["policy_line"]:
            assert f"policies/bike-demand.yaml:{finding['policy_line']}" in page.text
    digests = (document["digest"], document["model"]["digest"], document["policy"]["digest"],
               document["data"]["reference"]["digest"], document["data"]["current"]["digest"])  # fmt: skip
    for digest in digests:
        assert digest in page.text
    assert "interval 0.38 to 0.44" in page.text
    assert "gate check models:/bike-demand/2 --policy policies/bike-demand.yaml" in page.text
    assert f"https://gate.example.com/verdicts/{verdict_id}" in page.text
    assert {f"/v1/verdicts/{verdict_id}", f"/verdicts/{verdict_id}/report/",
            f"/evaluations/{shelved.evaluations['done']}", "/models/bike-demand"} <= set(page.links())  # fmt: skip


def test_a_report_only_verdict_says_so_first_and_last(shelved):
    page = outline(shelved, f"/verdicts/{shelved.verdicts['report-only']}")
    banner = "REPORT ONLY: this verdict enforces nothing and is no promotion"
    main = page.text[page.text.index("verdict " + shelved.verdicts["report-only"][:8]) :]
    assert main.split(" ", 2)[2].startswith(banner)
    assert page.text.count(banner) == 2
    assert "Report only fraud-score version 2 It says hold, and enforces nothing. A check failed." in page.text


def test_a_report_only_promotion_is_shown_as_none(another_gate):
    gate = another_gate()
    verdict_id = gate.service.judge(name="toy-e", decision=Decision.PROMOTE, enforced=False)["id"]
    for path in (f"/verdicts/{verdict_id}", "/models/toy-e", "/"):
        page = gate.client.get(path).text
        assert "report-only" in page
        assert 'class="seal promote"' not in page
        assert 'class="answer promote"' not in page


def test_a_promotion_that_has_ended_no_longer_says_promote(shelved):
    page = outline(shelved, f"/verdicts/{shelved.verdicts['stale']}")
    assert "Stale churn-uplift version 2 The promotion ended on" in page.text
    assert "Promote" not in page.text.split("The record")[0].replace("PROMOTE", "")


def test_a_verdict_is_found_by_the_beginning_of_its_id_and_led_to_its_own_address(shelved):
    verdict_id = shelved.verdicts["failed"]
    answer = shelved.client.get(f"/verdicts/{verdict_id[:8]}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"/verdicts/{verdict_id}")


def test_an_unknown_verdict_is_a_page_that_is_not_found(shelved):
    answer = shelved.client.get("/verdicts/00000000-nothing")
    assert answer.status_code == 404
    assert "No verdict begins with 00000000-nothing." in Outline(answer.text).text


def test_a_verdict_that_was_changed_in_the_database_is_not_shown(another_gate):
    gate = another_gate()
    verdict_id = gate.service.judge(name="toy-c")["id"]
    with gate.service.store.database.writing() as connection:
        connection.execute(sql("UPDATE verdicts SET document = replace(document, '0.41', '0.01')"))
    answer = gate.client.get(f"/verdicts/{verdict_id}")
    assert answer.status_code == 500
    assert "The stored verdict was changed" in Outline(answer.text).text
    assert "0.01" not in answer.text


def test_a_damaged_verdict_shows_as_damaged_wherever_it_is_shown_and_hides_no_other(another_gate):
    gate = another_gate()
    made = gate.new("toy-damaged")["id"]
    gate.service.begin(made)
    gate.service.judge(made, name="toy-damaged")
    gate.service.judge(name="toy-well")
    with gate.service.store.database.writing() as connection:
        connection.execute(
            sql("UPDATE verdicts SET document = replace(document, '0.41', '0.01') WHERE model_name = 'toy-damaged'")
        )
    for path, words in (
        ("/", "toy-well"),
        ("/models/toy-damaged", "One of its verdicts is damaged"),
        (f"/evaluations/{made}", "Its verdict is damaged"),
    ):
        answer = gate.client.get(path)
        assert (answer.status_code, "0.01" in answer.text) == (200, False)
        assert words in Outline(answer.text).text
    assert "toy-damaged" in Outline(gate.client.get("/").text).text
    assert "damaged" not in Outline(gate.client.get("/models/toy-well").text).text


# --- an evaluation ----------------------------------------------------------------------------------------------------


def test_a_running_evaluation_tells_its_steps_and_renews_itself_without_a_script(shelved):
    path = f"/evaluations/{shelved.evaluations['running']}"
    page = outline(shelved, path)
    assert "Running models:/bike-demand/3 It is being judged. Stage pilot." in page.text
    assert "REPORT ONLY: this evaluation ends in no promotion" in page.text
    assert "profile reads 12 columns of current" in page.text
    assert "Rows read: 120,000" in page.text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in shelved.text(path)


def test_a_finished_evaluation_leads_to_its_verdict_and_stays_as_it_is(shelved):
    path = f"/evaluations/{shelved.evaluations['done']}"
    page = outline(shelved, path)
    assert "Done models:/bike-demand/2" in page.text
    assert f"/verdicts/{shelved.verdicts['failed']}" in page.links()
    assert "refresh" not in shelved.text(path)
    assert "live.js" not in shelved.text(path)


def test_trouble_is_told_in_words(shelved):
    page = outline(shelved, f"/evaluations/{shelved.evaluations['error']}")
    assert "Error models:/bike-demand/9 It ended without a verdict." in page.text
    assert "What went wrong the policy is wrong policies/bike.yaml:7: max: must be at most 1, got 5" in page.text
    assert "policy-error, exit code 2" in page.text


def test_a_cancelled_evaluation_decides_nothing(shelved):
    page = outline(shelved, f"/evaluations/{shelved.evaluations['cancelled']}")
    assert "Cancelled models:/churn-uplift/9 It was cancelled. Nothing was decided" in page.text


def test_an_unknown_evaluation_is_a_page_that_is_not_found(shelved):
    assert shelved.client.get("/evaluations/nothing").status_code == 404


# --- all pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def paths(shelved, evil):
    return [
        "/",
        "/models/bike-demand",
        f"/models/{quote(evil, safe='')}",
        *(f"/verdicts/{verdict_id}" for verdict_id in shelved.verdicts.values()),
        *(f"/verdicts/{shelved.verdicts[name]}/report/" for name in ("failed", "promote", "hostile")),
        *(f"/evaluations/{evaluation_id}" for evaluation_id in shelved.evaluations.values()),
    ]


def test_whatever_people_wrote_is_text(shelved, paths):
    """Every page: no script but ours, no handler, no style, no address but our own; and the attack is there to read."""
    found = 0
    for path in paths:
        page = shelved.text(path)
        seen = Outline(page)
        for tag, attributes in seen.elements:
            assert not any(name.startswith("on") or name in ("style", "srcdoc") for name in attributes), (path, tag)
            for name in ("href", "src", "action", "data-events"):
                assert str(attributes.get(name) or "/").startswith(("/", "#")), (path, tag, attributes)
            assert tag != "script" or re.fullmatch(r"/static/[0-9a-f]{12}/live\.js", str(attributes["src"]))
            assert tag != "style"
        assert page.count("<script") == page.count('<script defer src="/static/')
        assert all(char == "\n" or char.isprintable() for char in page), path
        found += "".join(PLAIN.split()) in "".join(seen.words)
    assert found >= 4


def test_every_page_has_one_heading_landmarks_and_captions(shelved, paths):
    for path in paths:
        page = outline(shelved, path)
        tags = [tag for tag, _ in page.elements]
        assert tags.count("h1") == tags.count("main") == tags.count("nav") - ("jump" in shelved.text(path)) == 1, path
        assert tags.count("table") == tags.count("caption")
        assert all("scope" in attributes for tag, attributes in page.elements if tag == "th")
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), path
        assert not any(tag == "time" and not attributes["datetime"].endswith("Z") for tag, attributes in page.elements)


def test_a_page_that_the_reader_has_is_not_sent_again(shelved):
    path = f"/verdicts/{shelved.verdicts['failed']}"
    first = shelved.client.get(path)
    again = shelved.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == POLICY
    other = shelved.client.get(path, headers={"If-None-Match": '"another"'})
    assert other.text == first.text


def test_the_head_of_a_page_can_be_asked_for(shelved):
    answer = shelved.client.head("/models/bike-demand")
    assert (answer.status_code, answer.content) == (200, b"")


def test_pages_bring_their_own_headers(shelved):
    headers = shelved.client.get("/").headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "private, no-cache"
    assert headers.get_list("content-security-policy") == [POLICY]


def test_an_address_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs(shelved):
    person = shelved.client.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (person.status_code, person.headers["content-type"]) == (404, "text/html; charset=utf-8")
    program = shelved.client.get("/nowhere")
    assert (program.status_code, program.headers["content-type"]) == (404, "application/problem+json")
    api = shelved.client.get("/v1/nowhere", headers={"Accept": "text/html"})
    assert api.headers["content-type"] == "application/problem+json"


def test_a_database_that_is_away_is_said_on_a_page(another_gate):
    gate = another_gate()
    with gate.service.store.database.writing() as connection:
        connection.execute(sql("ALTER TABLE verdicts RENAME TO gone"))
    for path in ("/", "/models/toy", "/verdicts/abcdefgh", "/verdicts/abcdefgh/report/"):
        answer = gate.client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert int(answer.headers["retry-after"]) > 0
        assert "503 The database does not answer" in Outline(answer.text).text
    badge = gate.client.get("/models/toy/badge.svg")
    assert badge.status_code == 503
    assert badge.headers["content-type"] == "application/problem+json"


def test_files_are_kept_as_long_as_they_are_the_same(shelved):
    [style] = re.findall(r'href="(/static/[0-9a-f]{12}/site\.css)"', shelved.text("/"))
    answer = shelved.client.get(style)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = shelved.client.get(style, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    older = shelved.client.get("/static/0123456789ab/site.css")
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
    assert shelved.client.get("/static/0123456789ab/site.html").status_code == 404


def test_links_stay_below_the_path_of_the_public_address():
    links = Links("https://example.com/gate")
    assert links.model("a/b?c#d") == "/gate/models/a%2Fb%3Fc%23d"
    assert links.home("report only") == "/gate/?show=report%20only"
    assert links.public(links.verdict("x")) == "https://example.com/gate/verdicts/x"
    assert Links(None).public("/models/a") == "/models/a"
    assert links.static("site.css").startswith("/gate/static/")
