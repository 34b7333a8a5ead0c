"""Verdicts, kept."""
