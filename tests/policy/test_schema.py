import json
from pathlib import Path

import pytest
import yaml

from gate.checks.catalog import policy_kinds
from gate.policy.schema import json_schema

ROOT = Path(__file__).parents[2]


def test_the_schema_for_editors_is_current():
    written = (ROOT / "docs" / "policy.schema.json").read_text()
    assert written == json.dumps(json_schema(), indent=2) + "\n", (
        "write it again with: gate policy schema > docs/policy.schema.json"
    )


def test_every_reference_leads_somewhere():
    schema = json_schema()
    text = json.dumps(schema)
    for name in {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}:
        assert name in schema["$defs"]


def test_every_kind_is_an_alternative_by_its_name():
    schema = json_schema()
    kinds = [one["$ref"].removeprefix("#/$defs/check_") for one in schema["properties"]["checks"]["items"]["oneOf"]]
    assert kinds == sorted(policy_kinds())
    assert {schema["$defs"][f"check_{kind}"]["properties"]["check"]["const"] for kind in kinds} == set(kinds)


@pytest.mark.parametrize("path", sorted((ROOT / "policies").glob("*.yaml")), ids=lambda path: path.name)
def test_an_editor_is_content_with_what_the_loader_takes(path):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(yaml.safe_load(path.read_text()), json_schema())
