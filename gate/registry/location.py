"""From the address of artifacts to a folder that can be read; addresses on other servers are refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from gate.errors import DataRefusedError, RegistryError
from gate.registry.address import is_http, shown
from gate.registry.local import LocalFolder
from gate.registry.remote import RemoteFolder
from gate.registry.session import Mlflow, sqlite_path

# Stores that MLflow reads with credentials of their own. ftp, sftp, hdfs and dbfs are left out: nobody asked yet.
_OBJECT_STORES = ("s3", "r2", "gs", "wasbs", "abfss")
# Where MLflow, and those who set it up, keep the artifacts of a registry that is a file: beside that file.
_BESIDE = ("artifacts", "mlartifacts", "mlruns")


def own_folders(tracking_uri: str) -> tuple[Path, ...]:
    """The folders on this machine that a registry's own artifacts lie in; none of a server, which sends them."""
    if is_http(tracking_uri):
        return ()
    file = sqlite_path(tracking_uri)
    beside = dict.fromkeys((file.parent, Path(os.path.realpath(file)).parent))  # where a link to the file lies, too
    return tuple(folder / name for folder in beside for name in _BESIDE)


def folder_at(
    uri: str, tracking_uri: str, mlflow: Mlflow, roots: Iterable[Path] | None = None
) -> LocalFolder | RemoteFolder:
    """Open the folder behind an artifact location that the registry gave.

    Whoever may create an experiment chooses its location. One on another server is refused, since MLflow would send
    the registry's credentials there; and one on this machine outside `roots`, since it would be read with our rights.
    None is no limit.

    Raises:
        DataRefusedError: it lies outside `roots`, wherever links lead.
        RegistryError: it is on another server, or of a kind that gate does not read.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("", "file") and parts.netloc in ("", "localhost"):
        folder = Path(unquote(parts.path) if parts.scheme else uri)
        _refuse_outside(folder, roots, uri)
        return LocalFolder(folder)
    server = urlsplit(tracking_uri)
    if is_http(tracking_uri) and parts.scheme in ("mlflow-artifacts", server.scheme):
        if parts.netloc not in ("", server.netloc, server.netloc.rpartition("@")[2]):
            raise RegistryError(
                f"{shown(uri)}: the files are on another server than the registry ({shown(tracking_uri)}); "
                "gate does not take the registry's credentials there"
            )
        return RemoteFolder(shown(uri), mlflow.artifacts(uri, tracking_uri=tracking_uri), over_http=True)
    if parts.scheme in _OBJECT_STORES:
        return RemoteFolder(shown(uri), mlflow.artifacts(uri, tracking_uri=tracking_uri), over_http=False)
    raise RegistryError(
        f"{shown(uri)}: gate cannot read files there; it reads the registry's own server, local folders and "
        f"{', '.join(scheme + '://' for scheme in _OBJECT_STORES)}"
    )


def _refuse_outside(folder: Path, roots: Iterable[Path] | None, uri: str) -> None:
    if roots is None:
        return
    allowed = [Path(os.path.realpath(root)) for root in roots]
    if not any(Path(os.path.realpath(folder)).is_relative_to(root) for root in allowed):
        raise DataRefusedError(
            f"{uri}: the registry keeps files outside the folders that this server reads "
            f"({', '.join(map(str, allowed)) or 'none'}); have GATE_DATA_ROOTS name their folder, or keep them on the "
            f"registry's own server"
        )


def below(uri: str, path: str) -> str:
    """Address a path below a location, keeping the location's query."""
    parts = urlsplit(uri)
    if not parts.scheme:
        return f"{uri.rstrip('/')}/{path}"
    name = quote(path) if parts.scheme == "file" else path
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}").geturl()
