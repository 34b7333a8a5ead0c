"""The folder of the demo: what lies where in it, and whether what lies there is still right."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from gate import __version__
from gate.errors import UsageError

_STAMP = ".gate-demo.json"
_OURS = ("registry", "data", "policies", "reports", "home")


@dataclass(frozen=True, slots=True)
class Workspace:
    """The demo's folder. Everything in it was made by the demo and may be removed."""

    folder: Path

    @property
    def tracking_uri(self) -> str:
        """The embedded MLflow registry: a SQLite file, no server."""
        return f"sqlite:///{self.folder / 'registry' / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """Where the registry keeps the files of models."""
        return self.folder / "registry" / "artifacts"

    def artifact_location(self, name: str) -> str | None:
        """Where the registry keeps the files of one model; None if the registry chooses."""
        return (self.artifacts / name).as_uri()

    @property
    def data(self) -> Path:
        """Training and pilot data, as parquet."""
        return self.folder / "data"

    @property
    def policies(self) -> Path:
        """The policies."""
        return self.folder / "policies"

    @property
    def reports(self) -> Path:
        """A folder for the report of each pilot."""
        return self.folder / "reports"

    @property
    def home(self) -> Path:
        """Verdicts and cached profiles, apart from the user's own GATE_HOME."""
        return self.folder / "home"

    @property
    def is_current(self) -> bool:
        """Whether a run of this same demo was completed here."""
        try:
            stamp = json.loads((self.folder / _STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(stamp == {"made_by": made_by(), "folder": str(self.folder)})

    def begin(self) -> None:
        """Clear what an earlier demo left here; UsageError if the folder holds anything else."""
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{self.folder}: is a file; name a folder for the demo with --dir")
        if self.folder.is_dir() and any(self.folder.iterdir()) and not (self.folder / _STAMP).exists():
            raise UsageError(f"{self.folder}: holds files that the demo did not make; name another folder with --dir")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / _STAMP).write_text("{}", encoding="utf-8")
            for name in _OURS:
                shutil.rmtree(self.folder / name, ignore_errors=True)
                (self.folder / name).mkdir()
        except OSError as wrong:
            raise UsageError(f"{self.folder}: cannot be written: {wrong.strerror}; name another with --dir") from wrong

    def finish(self) -> None:
        """Say that everything is in place. The stamp holds the folder too: the registry stores absolute paths."""
        stamp = {"made_by": made_by(), "folder": str(self.folder)}
        (self.folder / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")


@cache
def made_by() -> str:
    """A digest of all that the content of the folder follows from: the demo's files and the training libraries."""
    digest = hashlib.sha256()
    for name in ("mlflow-skinny", "scikit-learn", "pandas"):
        digest.update(f"{name} {version(name)}\n".encode())
    digest.update(f"gate {__version__}\n".encode())
    root = Path(str(files("gate.demo")))
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".yaml", ".parquet")):
        digest.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
