"""From the address of artifacts to a folder that can be read; addresses on other servers are refused."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from gate.errors import RegistryError
from gate.registry.address import is_http, shown
from gate.registry.local import LocalFolder
from gate.registry.remote import RemoteFolder
from gate.registry.session import Mlflow

# Stores that MLflow reads with credentials of their own. ftp, sftp, hdfs and dbfs are left out: nobody asked yet.
_OBJECT_STORES = ("s3", "r2", "gs", "wasbs", "abfss")


def folder_at(uri: str, tracking_uri: str, mlflow: Mlflow) -> LocalFolder | RemoteFolder:
    """Open the folder behind an artifact location that the registry gave.

    A location on another server is refused: whoever may create an experiment chooses its location, and MLflow would
    send the registry's credentials there.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("", "file") and parts.netloc in ("", "localhost"):
        return LocalFolder(Path(unquote(parts.path) if parts.scheme else uri))
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


def below(uri: str, path: str) -> str:
    """Address a path below a location, keeping the location's query."""
    parts = urlsplit(uri)
    if not parts.scheme:
        return f"{uri.rstrip('/')}/{path}"
    name = quote(path) if parts.scheme == "file" else path
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}").geturl()
