"""The verdict as JUnit XML, as CI systems show it: a test case for each finding."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # it writes here; nothing is parsed
from collections.abc import Iterable

from gate.cli.render.reading import Document, headline, moment, most_urgent_first, stands_in_the_way, title
from gate.cli.render.table import REPORT_ONLY
from gate.domain.plain import plain


def render_junit(document: Document) -> str:
    """Render a verdict as one test suite that is red exactly when the verdict holds.

    fail is a failure, insufficient and error are errors. What does not decide does not turn the suite red: a waived
    finding is skipped, a finding of severity info passes with its text in system-out.
    """
    findings = most_urgent_first(document["findings"])
    model = plain(document["model"]["name"])
    suite = ET.Element("testsuite", {
        "name": f"gate {model} version {plain(document['model']['version'])} {plain(document['stage'])}",
        "tests": "0", "failures": "0", "errors": "0", "skipped": "0",
        "timestamp": plain(document["evaluated_at"]).removesuffix("Z"),
        "time": f"{sum(document['timings_seconds'].values()):.3f}",
    })  # fmt: skip
    suite.append(_properties(document))
    for finding in findings:
        suite.append(_case(model, finding))
    if document["decision"] != "promote" and not any(map(stands_in_the_way, findings)):
        suite.append(_hold_itself(model, document))  # a hold that no finding explains must not look green
    _count(suite)
    counts = {key: suite.attrib[key] for key in ("tests", "failures", "errors", "skipped")}
    suites = ET.Element("testsuites", {"name": "gate", **counts})
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _properties(document: Document) -> ET.Element:
    properties = ET.Element("properties")
    values = {
        "verdict": document["id"], "decision": document["decision"], "cause": document["cause"] or "",
        "policy": document["policy"]["source"], "valid_until": moment(document["valid_until"]),
        "digest": document["digest"],
    }  # fmt: skip
    if not document["enforced"]:
        values["enforced"] = REPORT_ONLY
    for name, value in values.items():
        ET.SubElement(properties, "property", {"name": name, "value": plain(value)})
    return properties


def _case(model: str, finding: Document) -> ET.Element:
    case = ET.Element(
        "testcase", {"classname": f"{model}.{plain(finding['kind'])}", "name": title(finding), "time": "0"}
    )
    status, reason = finding["status"], plain(finding["reason"])
    if status == "pass":
        return case
    text = "\n".join(_lines(finding))
    if stands_in_the_way(finding):
        outcome = "failure" if status == "fail" else "error"
        ET.SubElement(case, outcome, {"message": reason, "type": plain(status)}).text = text
    elif finding["waived"]:
        ET.SubElement(case, "skipped", {"message": plain(finding.get("waiver") or "waived")})
        ET.SubElement(case, "system-out").text = text
    else:
        ET.SubElement(case, "system-out").text = f"{plain(status)}: {text}"
    return case


def _hold_itself(model: str, document: Document) -> ET.Element:
    case = ET.Element("testcase", {"classname": f"{model}.decision", "name": "decision", "time": "0"})
    ET.SubElement(case, "error", {"message": headline(document), "type": "hold"})
    return case


def _lines(finding: Document) -> Iterable[str]:
    yield plain(finding["reason"])
    for label in ("remedy", "owner", "reproduce"):
        if finding[label]:
            yield f"{label}: {plain(finding[label])}"


def _count(suite: ET.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for total, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(total, str(sum(case.find(outcome) is not None for case in cases)))
