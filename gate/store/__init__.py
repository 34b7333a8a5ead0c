"""Verdicts and evaluations, kept."""

from gate.store.open import Store, open_store

__all__ = ["Store", "open_store"]
