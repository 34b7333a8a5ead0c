"""A server with everything that pages can show: verdicts and evaluations of every kind, and names that attack."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pandas as pd
from serving import ServedService, a_service, a_verdict

from gate.datasets.duck import DuckDatasets
from gate.domain.dataset import Source
from gate.domain.evaluation import ClientPolicy, Evaluation, Served, State, Submission
from gate.domain.need import Drift, Limit, MissingShare
from gate.domain.picture import Distribution, Pictures, Trail
from gate.domain.scope import Roles, Scope
from gate.domain.verdict import Cause, Decision
from gate.evidence.gather import EvidentlyEvidence
from gate.flow.document import digest_of
from gate.publish.page import render_page
from gate.server.app import create_app
from gate.server.run import in_background

DOCUMENTS = Path(__file__).parents[1] / "cli" / "documents"
PILOTS = """\
policy: gate/v1
name: bike-demand
description: Hourly demand forecaster of the city pilot.
owner: mobility-analytics
pilot: {{started: {started}, decide_by: {decide_by}, sponsor: j.doe}}
applies_to: {{models: ["bike-demand"]}}
task: none
data: {{reference: {{mlflow: training}}, current: {{uri: now.parquet}}}}
checks:
  - {{check: missing_share, max: 0.05}}
"""
HOSTILE = (
    '</script></style></title>--><script>window.PWN=1</script><img src=x onerror="window.PWN=1">'
    "{{7*7}}\u202egpj\x1b[31m"
)
HOSTILE_COLUMNS = [HOSTILE, '"><svg onload=window.PWN=1>', "a</script><script>window.PWN=1</script>"]

# A report that somebody replaced: it tries whatever a script may try, and writes down what came of it.
ATTACK = """<!DOCTYPE html><title>attack</title><body><p id=out>nothing ran</p><script>
const attempt = async (what, make) => {
  try { const got = await make(); return [what, got === undefined ? "did" : String(got)]; }
  catch (wrong) { return [what, wrong.name || "refused"]; }
};
(async () => {
  const results = [
    await attempt("origin", () => origin),
    await attempt("api", () => fetch("/v1/models").then((answer) => answer.status)),
    await attempt("other host", () => fetch("http://evil.example/").then((answer) => answer.status)),
    await attempt("beacon", () => navigator.sendBeacon("/v1/evaluations", "x") && undefined),
    await attempt("cookie", () => document.cookie),
    await attempt("storage", () => localStorage.length),
    await attempt("parent", () => parent.document.title),
    await attempt("top", () => { top.location = "http://evil.example/"; }),
    await attempt("window", () => window.open("http://evil.example/") === null ? "null" : "opened"),
    await attempt("picture", () => new Promise((resolve, reject) => {
      const image = new Image(); image.onload = resolve; image.onerror = () => reject({name: "blocked"});
      image.src = "http://evil.example/x.png"; })),
    await attempt("script", () => new Promise((resolve, reject) => {
      const script = document.createElement("script"); script.onload = resolve;
      script.onerror = () => reject({name: "blocked"}); script.src = "/static/x/live.js";
      document.body.append(script); })),
    await attempt("frame", () => { const frame = document.createElement("iframe"); frame.src = "/";
      document.body.append(frame); return frame.contentDocument ? "reached" : "null"; }),
  ];
  document.getElementById("out").textContent = JSON.stringify(results);
})();
</script><form action="/v1/evaluations" method="post"><button>x</button></form></body>"""


@dataclass
class Shelved:
    """A server with its verdicts and evaluations by the names that tests know them by."""

    service: ServedService
    client: httpx.Client
    url: str
    verdicts: dict[str, str]
    evaluations: dict[str, str]

    def text(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


def a_document(name: str, **changes: Any) -> dict[str, Any]:
    """One of the documents, judged now, with changes by path: `model__version="3"`."""
    document = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    now = datetime.now(UTC)
    changes = {
        "id": str(uuid4()),
        "store": "server",
        "evaluated_at": now,
        "valid_until": now + timedelta(days=14),
    } | changes
    for path, value in changes.items():
        *into, last = path.split("__")
        place = document
        for key in into:
            place = place[key]
        place[last] = f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
    return document | {"digest": digest_of(document)}


def keep(service: ServedService, document: dict[str, Any], *, evaluation=None, report=None) -> str:
    """Store a document as its verdict; its id."""
    name, version = document["model"]["name"], document["model"]["version"]
    digest = "sha256:" + hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    verdict = a_verdict(name, version)
    inputs = "sha256:" + uuid4().hex * 2
    cause = Cause(document["cause"]) if document["cause"] else None
    document = copy.deepcopy(document)
    document["model"]["digest"] = digest
    document["inputs_digest"] = inputs
    document["attempt"] = 0 if cause is Cause.ERROR else service.archive.attempt(digest, document["stage"], inputs)
    document["digest"] = digest_of(document)
    service.archive.save(
        replace(verdict, id=document["id"], decision=Decision(document["decision"]), cause=cause,
                enforced=document["enforced"], stage=document["stage"], model=replace(verdict.model, digest=digest),
                inputs_digest=inputs, attempt=document["attempt"]),
        document, evaluation=evaluation, report=report,
    )  # fmt: skip
    return document["id"]


def ago(**length: float) -> dict[str, datetime]:
    """When a verdict was given, and until when it holds."""
    at = datetime.now(UTC) - timedelta(**length)
    return {"evaluated_at": at, "valid_until": at + timedelta(days=14)}


def hostile_document(**changes: Any) -> dict[str, Any]:
    """A verdict in which every text that people write is an attack."""

    def poisoned(value: Any, key: str = "") -> Any:
        fixed = {
            "status",
            "severity",
            "decision",
            "id",
            "schema",
            "cause",
            "dimension",
            "digest",
            "evaluated_at",
            "valid_until",
        }
        match value:
            case dict():
                return {k: poisoned(v, k) for k, v in value.items()}
            case list():
                return [poisoned(v, key) for v in value]
            case str() if key not in fixed:
                return f"{value} {HOSTILE}"
            case _:
                return value

    document = poisoned(a_document("hold-failed"))
    document["model"]["name"] = f"evil {HOSTILE}".replace("/", "|")  # MLflow allows no slash
    document["stage"] = f"pilot {HOSTILE}"
    document["findings"][0]["details"] = {HOSTILE: {HOSTILE: [HOSTILE, 1, None, True]}}
    return document | changes


def hostile_report(folder: Path) -> dict[str, bytes]:
    """A report by Evidently and by us, over columns and values that would like to be scripts."""
    reference = pd.DataFrame({name: ["plain", HOSTILE] * 50 for name in HOSTILE_COLUMNS})
    current = pd.DataFrame({name: ["plain"] * 90 + [HOSTILE] * 10 for name in HOSTILE_COLUMNS})
    sides = []
    for name, frame in (("reference", reference), ("current", current)):
        frame.to_parquet(folder / f"{name}.parquet")
        datasets = DuckDatasets(folder / "home", folder=folder)
        sides.append(datasets.open(Source(str(folder / f"{name}.parquet")), now=datetime(2026, 3, 1, tzinfo=UTC)))
    kinds = {column.name: column.kind for column in sides[0].facts.schema}
    scope = Scope(task="none", roles=Roles(), reference=sides[0].facts.schema, current=sides[1].facts.schema,
                  kinds=kinds, has_champion=False)  # fmt: skip
    needs = [
        need
        for name in HOSTILE_COLUMNS
        for need in (Drift(Limit(max=0.1), name, "tvd"), MissingShare(Limit(max=0.1), name))
    ]
    gathered = EvidentlyEvidence().gather(needs, scope, *sides, now=datetime(2026, 3, 1, tzinfo=UTC), report=True)
    page = render_page(hostile_document(), gathered.pictures, beside=sorted(gathered.report.files))
    return {**gathered.report.files, "index.html": page.encode()}


@contextmanager
def shelved(folder: Path) -> Iterator[Shelved]:
    """A server over a folder, with everything that pages can show."""
    policies = folder / "policies"
    policies.mkdir()
    today = datetime.now(UTC).date()
    pilot = PILOTS.format(started=today - timedelta(days=86), decide_by=today + timedelta(days=34))
    (policies / "bike.yaml").write_text(pilot, encoding="utf-8")
    late = PILOTS.format(started=today - timedelta(days=140), decide_by=today - timedelta(days=19))
    churn = late.replace("bike-demand", "churn-uplift").replace("mobility-analytics", "retention")
    (policies / "churn.yaml").write_text(churn, encoding="utf-8")
    with a_service(folder, GATE_PUBLIC_URL="https://gate.example.com") as service:
        evaluations = _ask(service)
        _see(service)
        verdicts = _judge(service, evaluations, hostile_report(folder))
        with in_background(create_app(service)) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield Shelved(service, client, url, verdicts, evaluations)


def _ask(service: ServedService) -> dict[str, str]:
    """Evaluations in every state."""
    now = datetime.now(UTC)

    def ask(name: str, model: str, **fields: Any) -> str:
        evaluation, _ = service.submit(Submission(model, **fields), principal="anonymous", key=name, now=now)
        return evaluation.id

    asked = {
        "queued": ask("queued", "models:/bike-demand/4", stage="pilot"),
        "running": ask("running", "models:/bike-demand/3", stage="pilot", enforced=False),
        "done": ask("done", "models:/bike-demand/2", stage="pilot"),
        "error": ask("error", "models:/bike-demand/9"),
        "cancelled": ask("cancelled", "models:/churn-uplift/9"),
    }
    asked["hostile"] = str(uuid4())  # beyond what the desk lets in: a page does not rely on it
    wish = Submission(HOSTILE, HOSTILE, HOSTILE, HOSTILE, policy=ClientPolicy(HOSTILE, HOSTILE))
    assert not service.evaluations.accept(
        Evaluation(asked["hostile"], HOSTILE, "hostile", wish, HOSTILE, State.QUEUED, now, now + timedelta(hours=1))
    )
    for name in ("running", "done", "error", "hostile"):
        service.begin(asked[name])
    for name in ("running", "hostile"):
        service.note(asked[name], "phase", name="registry", detail="reads the model version")
        service.note(
            asked[name], "phase", name="profile", detail=HOSTILE if name == "hostile" else "reads 12 columns of current"
        )
        service.note(asked[name], "rows", scanned=120_000)
    service.fail(asked["error"], "policy-error", exit_code=2, detail="the policy is wrong",
                 problems=("policies/bike.yaml:7: max: must be at most 1, got 5",))  # fmt: skip
    service.fail(asked["hostile"], "data-unreadable", detail=HOSTILE, problems=(HOSTILE,))
    assert service.evaluations.end(asked["cancelled"], State.CANCELLED, now, None)
    return asked


def _judge(service: ServedService, evaluations: dict[str, str], hostile_report: dict[str, bytes]) -> dict[str, str]:
    """Verdicts of every kind, oldest first."""
    temp = Distribution("temp", True, ("0", "0.25", "0.5", "0.75", "1"), (0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4),
                        (0.0, 0.25, 0.5, 0.75, 1.0))  # fmt: skip
    days = Trail(
        "temp", "wasserstein", "day", ("2026-11-01", "2026-11-02", "2026-11-03"), (0.05, 0.2, 0.3), (90, 90, 90), 0.1
    )
    failed = a_document("hold-failed", **ago(hours=2))
    drawn = render_page(failed, Pictures((temp,), (days,)), beside=["evidently.html", "evidently.json"]).encode()
    report = {**hostile_report, "index.html": drawn}
    bike = {"model__name": "bike-demand"}
    return {
        "old": keep(service, a_document("promote", **ago(days=40), model__version="1")),
        "insufficient": keep(service, a_document("hold-insufficient", **ago(days=6), model__version="2")),
        "error": keep(service, a_document("hold-error", **ago(days=3), model__version="2")),
        "failed": keep(service, failed, evaluation=evaluations["done"], report=report),
        "wave": keep(service, a_document("hold-error", **ago(hours=1), stage="wave-1", **bike)),
        "promote": keep(service, a_document("promote", **ago(hours=5), model__name="income", model__version="7")),
        "stale": keep(
            service, a_document("promote", **ago(days=19), model__name="churn-uplift", policy__name="churn-uplift")
        ),
        "report-only": keep(service, a_document("report-only", **ago(days=1), model__name="fraud-score")),
        "hostile": keep(service, hostile_document(), report=hostile_report),
        "attack": keep(
            service,
            a_document("hold-failed", model__name="attacked"),
            report=dict.fromkeys(("index.html", "evidently.html"), ATTACK.encode()),
        ),
    }


def _see(service: ServedService) -> None:
    seen = datetime.now(UTC)
    service.archive.see(Served("bike-demand", "champion", "1", "bike-demand", "pilot", seen))
    service.archive.see(Served("income", "champion", None, "income", "pilot", seen))
