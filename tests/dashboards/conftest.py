import json
from pathlib import Path

import pytest
import yaml
from prometheus import RULES, SHIPPED


@pytest.fixture(scope="session")
def rules() -> dict[str, dict]:
    """Every rule by its name; an alert has `alert`, a recording rule has `record`."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule.get("alert") or rule["record"]: rule for group in groups for rule in group["rules"]}


@pytest.fixture(scope="session")
def alerts(rules) -> dict[str, dict]:
    return {name: rule for name, rule in rules.items() if "alert" in rule}


@pytest.fixture(scope="session")
def rule_tests() -> list[dict]:
    return yaml.safe_load((SHIPPED / "prometheus" / "rules_test.yml").read_text())["tests"]


@pytest.fixture(scope="session")
def dashboards() -> dict[str, dict]:
    """The committed JSON by file name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(Path(SHIPPED, "grafana").glob("*.json"))}
