"""Write the dashboards as JSON, into dashboards/grafana or the folder that is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.src.fleet import fleet
from dashboards.src.model import model

_FOLDER = Path(__file__).parents[1] / "grafana"
_DASHBOARDS: Mapping[str, Dashboard] = {"fleet": fleet(), "model": model()}


def write(folder: Path) -> None:
    """Write every dashboard into `folder`; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, dashboard in _DASHBOARDS.items():
        text = json.dumps(dashboard.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


write(Path(sys.argv[1]) if sys.argv[1:] else _FOLDER)
