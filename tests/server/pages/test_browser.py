"""The pages in a real browser: quiet, accessible, wide and narrow, light and dark, with and without a script."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from browser import require_chromium, watched

from gate.server.site import POLICY

WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")
LOOKS = {(360, "dark"), (1280, "light")}  # in which every page is held to the rules of accessibility
THOROUGH = ("portfolio", "model", "failed", "running")  # these in light and dark at both ends
PAGES = (
    "portfolio", "nothing", "model", "failed", "promote", "stale", "report-only", "report", "no report",
    "queued", "running", "done", "error", "cancelled", "missing",
)  # fmt: skip


@pytest.fixture(scope="module")
def path_of(shelved):
    """The path of a page by its name."""
    verdicts, evaluations = shelved.verdicts, shelved.evaluations
    paths = {
        "portfolio": "/",
        "nothing": "/?show=none",
        "model": "/models/bike-demand",
        "report": f"/verdicts/{verdicts['failed']}/report/",
        "evidently": f"/verdicts/{verdicts['failed']}/report/?file=evidently.html",
        "no report": f"/verdicts/{verdicts['promote']}/report/",
        "missing": "/models/nobody",
    }
    paths |= {name: f"/verdicts/{verdicts[name]}" for name in ("failed", "promote", "stale", "report-only")}
    paths |= {name: f"/evaluations/{evaluations[name]}" for name in ("queued", "running", "done", "error", "cancelled")}
    return lambda name: shelved.url + paths[name]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_accessible_and_fits(browser, path_of, name):
    """Once loaded, it is looked at in both schemes and all widths, with everything that opens open."""
    with watched(browser) as seen:
        page = seen.page
        page.goto(path_of(name))
        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert seen.overflow() == [], width
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                if (width, scheme) in LOOKS or (name in THOROUGH and width != 768):
                    assert seen.axe() == [], (width, scheme)
        quiet = [said for said in seen.complaints if name != "missing" or "status of 404" not in said]
        assert quiet == []
        assert seen.violations() == []
        assert all(url.startswith(path_of("portfolio")) for url in seen.requests)


def test_a_page_is_read_from_the_keyboard(browser, path_of):
    with watched(browser) as seen:
        page = seen.page
        page.goto(path_of("portfolio"))

        def focused() -> str:
            return page.evaluate("document.activeElement.textContent.trim()")

        page.keyboard.press("Tab")
        assert focused() == "Skip to the content"
        box = page.locator(".skip").bounding_box()
        assert box
        assert box["y"] >= 0  # it is seen once it has the focus
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.keyboard.press("Tab")
        assert focused().startswith("7")  # the first tile
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        for _ in range(12):
            page.keyboard.press("Tab")
            if focused() == "bike-demand":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/models/bike-demand")


@pytest.mark.parametrize("name", ["portfolio", "model", "failed", "report", "running"])
def test_a_page_works_without_a_script(browser, path_of, name):
    with watched(browser, script=False, width=360) as seen:
        page = seen.page
        page.goto(path_of(name))
        assert page.locator("h1").is_visible()
        assert seen.complaints == []
        if name == "failed":
            page.locator("summary").first.click()
            assert page.get_by_text("0.38 to 0.44", exact=True).is_visible()
        if name == "running":
            assert page.locator('meta[http-equiv="refresh"]').count() == 1
        if name == "report":
            assert page.frame_locator("iframe").locator("h1").is_visible()


def test_a_page_prints_all_that_it_folds_away(browser, path_of):
    with watched(browser) as seen:
        page = seen.page
        page.goto(path_of("failed"))
        page.emulate_media(media="print")
        assert page.get_by_text("0.38 to 0.44", exact=True).is_visible()
        assert not page.locator(".skip").is_visible()
        assert not page.locator("nav.jump").is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_running_evaluation_is_followed_as_it_goes(browser, another_gate):
    gate = another_gate()
    evaluation = gate.new("toy-a")["id"]
    with watched(browser) as seen:
        page = seen.page
        page.goto(f"{gate.client.base_url}/evaluations/{evaluation}")
        assert page.locator(".seal").text_content() == "Queued"
        gate.service.begin(evaluation)
        page.locator(".seal.state-running").wait_for()
        gate.service.note(evaluation, "phase", name="profile", detail="<b>reads</b> 3 columns")
        gate.service.note(evaluation, "rows", scanned=1_234_567)
        page.get_by_text("<b>reads</b> 3 columns", exact=True).wait_for()
        page.get_by_text("1,234,567").wait_for()
        assert page.locator("[data-live]").text_content() == "profile: <b>reads</b> 3 columns"
        assert page.locator("[data-steps] li").count() == 3
        document = gate.service.judge(evaluation, name="toy-a")
        page.locator(".seal.state-done").wait_for()
        page.get_by_role("link", name="Open the verdict").click()
        page.wait_for_url(f"**/verdicts/{document['id']}")
        assert seen.complaints == []
        assert seen.violations() == []


def test_an_evaluation_that_ends_in_error_is_followed_to_its_end(browser, another_gate):
    gate = another_gate()
    evaluation = gate.new("toy-a")["id"]
    gate.service.begin(evaluation)
    with watched(browser) as seen:
        seen.page.goto(f"{gate.client.base_url}/evaluations/{evaluation}")
        gate.service.fail(evaluation, detail="the registry did not answer")
        seen.page.locator(".reason", has_text="the registry did not answer").wait_for()
        assert seen.page.locator("[data-events]").count() == 0
        assert seen.complaints == []


# --- what is hostile --------------------------------------------------------------------------------------------------


def test_hostile_names_run_nowhere(browser, shelved):
    verdict_id = shelved.verdicts["hostile"]
    name = shelved.client.get(f"/v1/verdicts/{verdict_id}").json()["model"]["name"]
    paths = (
        "/", f"/models/{quote(name, safe='')}", f"/verdicts/{verdict_id}",
        f"/evaluations/{shelved.evaluations['hostile']}", f"/verdicts/{verdict_id}/report/",
        f"/verdicts/{verdict_id}/report/?file=evidently.html", f"/v1/verdicts/{verdict_id}/report/index.html",
        f"/v1/verdicts/{verdict_id}/report/evidently.html",
    )  # fmt: skip
    for path in paths:
        with watched(browser, width=360) as seen:
            seen.page.goto(shelved.url + path)
            if path.endswith("evidently.html"):
                shown = seen.page.frames[-1].get_by_text("PWN").first
                shown.wait_for()  # Evidently's own script has drawn the page, with the names in it
            for frame in seen.page.frames:
                assert frame.evaluate("typeof window.PWN") == "undefined", path
            assert seen.overflow() == [], path
            assert seen.complaints == [], path
            assert all(url.startswith((shelved.url, "data:", "blob:")) for url in seen.requests)


def test_a_hostile_report_is_harmless_even_where_no_sandbox_is(browser, shelved):
    """The same files without the sandbox: no script of theirs runs, and nothing but the file itself is loaded."""
    verdict_id = shelved.verdicts["hostile"]

    def without_sandbox(route):
        answer = route.fetch()
        policy = answer.headers["content-security-policy"].partition("; ")[2]
        assert policy.startswith("default-src 'none'")
        route.fulfill(response=answer, headers=answer.headers | {"content-security-policy": policy})

    for name in ("index.html", "evidently.html"):
        with watched(browser) as seen:
            seen.page.route("**/report/*", without_sandbox)
            address = f"{shelved.url}/v1/verdicts/{verdict_id}/report/{name}"
            seen.page.goto(address)
            seen.page.get_by_text("PWN").first.wait_for()
            assert seen.page.evaluate("[typeof window.PWN, origin]") == ["undefined", shelved.url]
            assert [url for url in seen.requests if url.startswith("http")] == [address]


@pytest.fixture
def attack(shelved):
    """A verdict whose report was replaced by an attack."""
    return shelved.verdicts["attack"]


def test_a_script_in_a_report_reaches_nothing(browser, shelved, attack):
    before = len(shelved.service.metrics.answered_to)
    with watched(browser) as seen:
        seen.page.goto(f"{shelved.url}/verdicts/{attack}/report/?file=evidently.html")
        seen.page.wait_for_load_state("load")
        frame = seen.page.frames[1]
        frame.wait_for_function("document.getElementById('out')?.textContent.startsWith('[')")
        results = dict(frame.evaluate("JSON.parse(document.getElementById('out').textContent)"))
        assert results == {
            "origin": "null",
            "api": "TypeError",
            "other host": "TypeError",
            "beacon": "did",  # it says so, and sends nothing: see below
            "cookie": "SecurityError",
            "storage": "SecurityError",
            "parent": "SecurityError",
            "top": "SecurityError",
            "window": "null",
            "picture": "blocked",
            "script": "blocked",
            "frame": "null",
        }
        assert seen.page.url.startswith(shelved.url)
        known = ("/verdicts/", "/static/", "/v1/verdicts/")
        foreign = [url for url in seen.requests if not url.removeprefix(shelved.url).startswith(known)]
        assert {url: seen.failed.get(url) for url in foreign} == {"http://evil.example/x.png": "csp"}
        seen.page.wait_for_timeout(200)
        assert {method for method, _, _ in shelved.service.metrics.answered_to[before:]} <= {"GET", "HEAD"}


def test_a_script_in_our_own_page_does_not_run_at_all(browser, shelved, attack):
    for path in (f"/verdicts/{attack}/report/?file=index.html", f"/v1/verdicts/{attack}/report/index.html"):
        with watched(browser) as seen:
            seen.page.goto(shelved.url + path)
            assert seen.page.frames[-1].locator("#out").text_content() == "nothing ran"


def test_a_report_opened_alone_has_no_origin_either(browser, shelved, attack):
    with watched(browser) as seen:
        seen.page.goto(f"{shelved.url}/v1/verdicts/{attack}/report/evidently.html")
        assert seen.page.evaluate("origin") == "null"


def test_a_page_of_ours_cannot_be_framed(browser, shelved):
    with watched(browser) as seen:
        seen.page.goto(f"{shelved.url}/verdicts/{shelved.verdicts['failed']}/report/")
        seen.page.evaluate("document.querySelector('iframe').removeAttribute('sandbox')")
        with seen.page.expect_event("console", lambda said: "frame-ancestors" in said.text or "X-Frame" in said.text):
            seen.page.evaluate("document.querySelector('iframe').src = '/'")
        assert "frame-ancestors 'none'" in POLICY


def test_evidently_works_in_its_sandbox(browser, path_of):
    with watched(browser) as seen:
        seen.page.goto(path_of("evidently"))
        frame = seen.page.frames[-1]
        frame.get_by_text("Drift of", exact=False).first.wait_for()
        assert frame.evaluate("origin") == "null"
        assert seen.complaints == []


def test_without_the_browser_its_tests_are_skipped_in_words_or_fail_where_it_must_be(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.delenv("REQUIRE_CHROMIUM", raising=False)
    reason = "needs Debian's chromium, which is not installed: apt-get install chromium"
    with pytest.raises(pytest.skip.Exception) as skipped:
        require_chromium()
    assert str(skipped.value) == reason
    monkeypatch.setenv("REQUIRE_CHROMIUM", "1")
    with pytest.raises(pytest.fail.Exception) as failed:
        require_chromium()
    assert str(failed.value) == reason
