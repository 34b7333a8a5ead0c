"""Frozen values of the trade; standard library only."""
