"""The policies that a server judges by: those of one folder, replaced as a whole, and only by a set that is right."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gate.domain.evaluation import ClientPolicy
from gate.errors import ClientPolicyError, PolicyError, Problem, UsageError
from gate.policy.lint import lint
from gate.policy.load import LoadedPolicy, load_text
from gate.policy.match import PolicySet, load_set, policies_in

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """How the last look at the folder went.

    Attributes:
        ok: whether what lies there now is what is judged by.
        at: when the set that is judged by was loaded.
        problems: why what lies there is not; empty if it is.
        digest: of the set that is judged by.
    """

    ok: bool
    at: datetime
    problems: tuple[str, ...]
    digest: str


class PolicyShelf:
    """The current policies. Threads may share it.

    Args:
        folder: where the policies lie (GATE_POLICIES).
        now: the moment of the first load.
        client_policies: whether clients may bring a policy that extends one of these ("tighten") or not ("refuse").
        heard: is told of every reload: whether it went well, and when.

    Raises:
        PolicyError: a file is wrong. A server does not begin to judge by half of its policies.
        UsageError: there is no such folder, or no policy in it.
    """

    def __init__(
        self, folder: Path, now: datetime, *, client_policies: str = "refuse",
        heard: Callable[[bool, datetime], None] = lambda _ok, _at: None,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._client_policies = client_policies
        self._heard = heard
        self._lock = threading.Lock()
        self._set = _load(folder)
        self._seen = _fingerprint(folder, self._set)
        self._status = Reloaded(True, now, (), _digest(self._set))
        heard(True, now)

    def current(self) -> PolicySet:
        """The last set that was right."""
        return self._set

    def status(self) -> Reloaded:
        """How the last look at the folder went."""
        return self._status

    def refresh(self, now: datetime) -> None:
        """Look at the folder; if something changed, load it, and keep the last good set if it is wrong."""
        with self._lock:
            try:
                seen = _fingerprint(self._folder, self._set)
                if seen == self._seen:
                    return
                found = _load(self._folder)
                seen = _fingerprint(self._folder, found)
            except Exception as wrong:
                self._seen = ""  # looked at again, whatever comes
                problems = _problems(wrong)
                if problems != self._status.problems:  # said once, not at each look
                    _log.error("policies are not reloaded, the last good set judges on: %s", "; ".join(problems))
                self._status = replace(self._status, ok=False, problems=problems)
                self._heard(False, self._status.at)
                if isinstance(wrong, UsageError):
                    return
                raise
            self._seen, self._set = seen, found
            self._status = Reloaded(True, now, (), _digest(found))
            _log.info("%d policies are loaded", len(found.policies))
            self._heard(True, now)

    def tightened(self, brought: ClientPolicy) -> LoadedPolicy:
        """Load a policy that a client brings, which may only be stricter than the one of ours that it extends.

        Raises:
            ClientPolicyError: this server takes none, or the policy extends none of ours.
            PolicyError: it is wrong, or less strict.
        """
        if self._client_policies != "tighten":
            raise ClientPolicyError(
                f"{brought.file}: this server judges by its own policies alone; ask without --policy, "
                f"or have it set client_policies: tighten"
            )
        name = Path(brought.file).name
        loaded = load_text(brought.text.encode(), self._folder / f"client:{name}", name)
        ours = {os.path.normpath(policy.source) for policy in self._set.policies}
        if not isinstance(loaded, LoadedPolicy) or not ours & set(loaded.files):
            raise ClientPolicyError(
                f"{name}: extends none of this server's policies; they are "
                f"{', '.join(sorted(Path(source).name for source in ours))}"
            )
        return loaded


def _load(folder: Path) -> PolicySet:
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of policies; set GATE_POLICIES, or write one with gate init")
    found = load_set(folder)
    if not found.policies:
        raise UsageError(f"{folder}: holds no policy that applies to a model; gate init MODEL_URI writes one")
    wrong = [
        Problem(advice.file, advice.line, advice.message)
        for policy in found.policies
        for advice in lint(policy)
        if advice.level == "error"
    ]
    if wrong:
        raise PolicyError(wrong)
    return found


def _fingerprint(folder: Path, policies: PolicySet) -> str:
    """Digest the files of the folder as they are now, and the bases elsewhere of the set that was loaded from it."""
    digest = hashlib.sha256()
    bases = {Path(file) for policy in policies.policies for file in policy.files}
    try:
        for path in sorted({*policies_in(folder), *bases}):
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "gone"
            digest.update(f"{path}\0{content}\n".encode())
    except OSError as wrong:
        raise UsageError(f"{wrong.filename}: cannot be read: {wrong.strerror}") from wrong
    return digest.hexdigest()


def _problems(wrong: Exception) -> tuple[str, ...]:
    if isinstance(wrong, UsageError):
        return tuple(str(wrong).splitlines())
    return (f"{type(wrong).__name__}: this is a bug in gate",)


def _digest(policies: PolicySet) -> str:
    digests = sorted(policy.digest for policy in policies.policies)
    return "sha256:" + hashlib.sha256("\n".join(digests).encode()).hexdigest()
