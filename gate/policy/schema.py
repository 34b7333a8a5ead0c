"""JSON Schema of the policy language, for editors: completion and red underlines while a policy is written.

Editors check the shape; `gate policy lint` checks what it means.
"""

from __future__ import annotations

import inspect
from typing import Any

from gate.checks.catalog import policy_kinds
from gate.policy.model import Base


def json_schema() -> dict[str, Any]:
    """The schema of a policy file, with one alternative for each kind of check."""
    schema = Base.model_json_schema(ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    definitions.pop("Check", None)
    alternatives = []
    for name, kind in policy_kinds().items():
        one = kind.model_json_schema(ref_template="#/$defs/{model}")
        definitions |= one.pop("$defs", {})
        one["description"] = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
        one["properties"]["check"] = {"const": name}
        one["required"] = ["check"]  # a check that overrides one of a base says only what is stricter
        definitions[f"check_{name}"] = one
        alternatives.append({"$ref": f"#/$defs/check_{name}"})
    schema["properties"]["checks"]["items"] = {"oneOf": alternatives}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate/v1 policy",
        **{key: value for key, value in schema.items() if key != "title"},
    }
