"""Write the dashboards as JSON, into dashboards/grafana or the folder that is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard as Built
from grafana_foundation_sdk.models.dashboard import RowPanel

from dashboards.src.fleet import fleet
from dashboards.src.model import model

_FOLDER = Path(__file__).parents[1] / "grafana"
_DASHBOARDS: Mapping[str, Dashboard] = {"fleet": fleet(), "model": model()}


def write(folder: Path) -> None:
    """Write every dashboard into `folder`; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, dashboard in _DASHBOARDS.items():
        built = dashboard.build()
        _number(built)
        text = json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _number(dashboard: Built) -> None:
    """Give each panel an id, in order: a link to a panel names it."""
    ids = count(1)
    for panel in dashboard.panels or []:
        panel.id_val = next(ids)
        for inner in panel.panels if isinstance(panel, RowPanel) else ():
            inner.id_val = next(ids)


write(Path(sys.argv[1]) if sys.argv[1:] else _FOLDER)
