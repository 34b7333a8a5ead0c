"""The registry's entry of a model version: read in a handful of requests, checked to be about what was asked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from gate.domain.candidate import LoggedDataset, ModelRef, RegistryMetric
from gate.errors import CandidateError, RegistryError
from gate.registry import records
from gate.registry.deadline import Deadline, within
from gate.registry.location import below
from gate.registry.trouble import is_absent

_LOGGED_MODEL = re.compile(r"models:/+(m-[0-9a-f]{32})\Z")
_COPIED_FROM = re.compile(r"models:/+([^/@]+)/([1-9][0-9]*)\Z")
_MOST_COPIES = 10
_SUGGESTION_SECONDS = 3.0
_PLAIN_BEGINNING = re.compile(r"[A-Za-z0-9 ._-]*")
_PAGE = 1000
_MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What the registry says about a version; its files are at `location`."""

    version: Any  # MLflow's entities, once their names have been checked
    model: Any
    run: Any | None
    model_id: str | None
    aliases: tuple[str, ...]
    metrics: tuple[RegistryMetric, ...]
    datasets: tuple[LoggedDataset, ...]
    location: str


class EntryReader:
    """Asks one registry about its models. Every answer must echo the name that was asked for."""

    def __init__(self, client: Any, place: str, deadline: Deadline, *, over_http: bool) -> None:
        self._client = client
        self._place = place
        self._deadline = deadline
        self._over_http = over_http

    def read(self, ref: ModelRef) -> Entry:
        """Read everything about a version but its files."""
        model = self._model(ref.name)
        aliases = alias_map(model)
        version = self._version(ref.name, self._number(ref, aliases))
        number = str(version.version)
        run = self._run(version.run_id)
        model_id = self._model_id(version, run)
        logged = self._logged_model(model_id) if model_id is not None else None
        return Entry(
            version=version,
            model=model,
            run=run,
            model_id=model_id,
            aliases=tuple(sorted(alias for alias, named in aliases.items() if named == number)),
            metrics=records.metrics(
                (logged.metrics or ()) if logged is not None else (),
                run.data.metrics if run is not None else {},
                self._client.get_metric_history,
            ),
            datasets=records.datasets(run.inputs) if run is not None else (),
            location=self._location(ref.name, number),
        )

    def version_of(self, name: str, alias: str) -> str | None:
        """The number of the version that `alias` names, or None."""
        return alias_map(self._model(name)).get(alias)

    def served(self, name: str, alias: str) -> tuple[str, dict[str, str]] | None:
        """The number of the version that `alias` names, and its tags over those of its model."""
        model = self._model(name)
        number = alias_map(model).get(alias)
        if number is None:
            return None
        return number, {**records.tags(model.tags), **records.tags(self._version(name, number).tags)}

    def names(self, globs: Sequence[str]) -> tuple[str, ...]:
        """Find the registered models whose names fit one of the globs."""
        found: set[str] = set()
        for prefix in _prefixes(globs):
            page: str | None = None
            while True:
                models = self._client.search_registered_models(
                    filter_string=f"name LIKE '{prefix}%'" if prefix else None, max_results=_PAGE, page_token=page
                )
                found.update(model.name for model in models if any(fnmatchcase(model.name, glob) for glob in globs))
                if len(found) > _MOST_NAMES:
                    raise RegistryError(
                        f"{self._place}: more than {_MOST_NAMES:,} models fit {', '.join(globs)}; "
                        "narrow applies_to of the policies"
                    )
                page = models.token
                if not page:
                    break
        return tuple(sorted(found))

    def set_tags(self, name: str, number: str, run_id: str | None, tags: Mapping[str, str | None]) -> None:
        """Set the tags that differ. The version must be the one that is meant: a number can be given anew."""
        version = self._version(name, number)
        if (version.run_id or None) != run_id:
            raise CandidateError(
                f"{self._place}: {name!r} version {number} is of run {version.run_id or 'none'} by now, "
                f"not of {run_id or 'none'}: it was deleted and registered anew"
            )
        for key, value in tags.items():
            if value is None and key in version.tags:
                self._client.delete_model_version_tag(name, number, key)
            elif value is not None and version.tags.get(key) != value:
                self._client.set_model_version_tag(name, number, key, value)

    def location(self, ref: ModelRef) -> str:
        """Where the files of a version are."""
        return self._location(ref.name, self._number(ref, alias_map(self._model(ref.name))))

    def resolved(self, uri: str) -> str:
        """Follow the indirections of a location: `models:/m-...` to the logged model, `runs:/` to the run's folder."""
        if match := _LOGGED_MODEL.match(uri):
            return str(self._client.get_logged_model(match[1]).artifact_location)
        if uri.startswith("runs:/"):
            run_id, _, path = uri.removeprefix("runs:/").strip("/").partition("/")
            root = str(self._client.get_run(run_id).info.artifact_uri)
            return below(root, path) if path else root
        return uri

    # --- one request each -------------------------------------------------------------------------------------------

    def _model(self, name: str) -> Any:
        try:
            model = self._client.get_registered_model(name)
        except Exception as error:
            if not is_absent(error):
                raise
            raise self._unknown_model(name) from error
        self._require_echo("model", name, model.name)
        return model

    def _number(self, ref: ModelRef, aliases: Mapping[str, str]) -> str:
        number = ref.version if ref.alias is None else aliases.get(ref.alias)
        if number is None:
            raise self._unknown_alias(ref, aliases)
        return number

    def _version(self, name: str, number: str) -> Any:
        try:
            version = self._client.get_model_version(name, number)
        except Exception as error:
            if not is_absent(error):
                raise
            raise self._unknown_version(name, number) from error
        self._require_echo("model", name, version.name)
        self._require_echo("version", number, str(version.version))
        if version.status != "READY":
            raise CandidateError(f"{self._place}: {name!r} version {number} is {version.status}, not READY")
        return version

    def _run(self, run_id: str | None) -> Any | None:
        """Read the run; None where the version has none, or names one that was erased."""
        if not run_id:
            return None
        try:
            run = self._client.get_run(run_id)
        except Exception as error:
            if not is_absent(error):
                raise
            return None
        self._require_echo("run", run_id, run.info.run_id)
        return run

    def _model_id(self, version: Any, run: Any | None) -> str | None:
        """Find the logged model: in the source, in the source of what was copied, else as the run's only model.

        The entity's own `model_id` is empty.
        """
        source = version.source or ""
        for _ in range(_MOST_COPIES):
            if match := _LOGGED_MODEL.match(source):
                return match[1]
            if not (match := _COPIED_FROM.match(source)):
                break
            try:
                source = self._client.get_model_version(match[1], match[2]).source or ""
            except Exception as error:
                if not is_absent(error):
                    raise
                break
        outputs = [] if run is None or run.outputs is None else list(run.outputs.model_outputs)
        return str(outputs[0].model_id) if len(outputs) == 1 else None

    def _logged_model(self, model_id: str) -> Any | None:
        try:
            logged = self._client.get_logged_model(model_id)
        except Exception as error:
            if not is_absent(error):
                raise
            return None
        self._require_echo("logged model", model_id, logged.model_id)
        return logged

    def _location(self, name: str, number: str) -> str:
        """Ask where a deployment of `models:/name/number` loads from. That is judged, whatever the source says."""
        try:
            location = self._client.get_model_version_download_uri(name, number)
        except Exception as error:
            if not is_absent(error):
                raise
            raise self._unknown_version(name, number) from error
        if not location:
            raise RegistryError(f"{self._place}: {name!r} version {number} has no location; is this an MLflow server?")
        try:
            return self.resolved(location)
        except Exception as error:
            if not is_absent(error):
                raise
            raise CandidateError(f"{self._place}: the files of {name!r} version {number} were deleted") from error

    def _require_echo(self, what: str, asked: str, answered: object) -> None:
        """A server that is none of MLflow's can answer 200, and MLflow fills the fields it misses with nothing."""
        if answered != asked:
            raise RegistryError(
                f"{self._place}: asked for {what} {asked!r}, was answered {answered!r}; is this an MLflow server?"
            )

    # --- what does not exist, and what does -------------------------------------------------------------------------

    def _unknown_model(self, name: str) -> CandidateError:
        def names(_: Deadline) -> list[str]:
            return [model.name for model in self._client.search_registered_models(max_results=1000)]

        try:
            known = within(min(_SUGGESTION_SECONDS, self._deadline.remaining / 2), "late", names)
        except Exception:  # noqa: BLE001 - the search is a courtesy; the answer stands without it
            known = []
        guess = _did_you_mean(name, known)
        return CandidateError(f"{self._place}: no model is called {name!r}{guess}{self._workspace_hint()}")

    def _workspace_hint(self) -> str:
        """A model of another workspace looks like no model at all."""
        if not self._over_http:
            return ""
        if workspace := os.environ.get("MLFLOW_WORKSPACE"):
            return f" (MLFLOW_WORKSPACE is {workspace!r}; other workspaces are not searched)"
        return " (if the server keeps workspaces, set MLFLOW_WORKSPACE)"

    def _unknown_version(self, name: str, number: str) -> CandidateError:
        quoted = f'"{name}"' if "'" in name else f"'{name}'"

        def highest(_: Deadline) -> str:
            newest = self._client.search_model_versions(
                f"name={quoted}", max_results=1, order_by=["version_number DESC"]
            )
            return f"; its highest is {newest[0].version}" if newest else "; it has no versions"

        try:
            known = within(min(_SUGGESTION_SECONDS, self._deadline.remaining / 2), "late", highest)
        except Exception:  # noqa: BLE001 - the search is a courtesy; the answer stands without it
            known = ""
        return CandidateError(f"{self._place}: {name!r} has no version {number}{known}")

    def _unknown_alias(self, ref: ModelRef, aliases: Mapping[str, str]) -> CandidateError:
        known = ", ".join(f"{alias!r} (version {number})" for alias, number in sorted(aliases.items()))
        guess = _did_you_mean(ref.alias or "", aliases)
        return CandidateError(
            f"{self._place}: {ref.name!r} has no alias {ref.alias!r}; it has {known or 'no aliases'}{guess}"
        )


def alias_map(model: Any) -> dict[str, str]:
    """Alias -> version number, from a registered model: versions and searches show no aliases over HTTP."""
    return {str(alias): str(number) for alias, number in (model.aliases or {}).items()}


def _prefixes(globs: Sequence[str]) -> tuple[str, ...]:
    """What the registry can search by: how each glob begins, up to its first character of another kind.

    `_` stands for any character there, so it finds too much and never too little; fnmatch has the last word.
    """
    begun = {_PLAIN_BEGINNING.match(glob)[0] for glob in globs}  # type: ignore[index] # it matches the empty text
    return ("",) if "" in begun else tuple(sorted(begun))


def _did_you_mean(name: str, known: Mapping[str, str] | list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
