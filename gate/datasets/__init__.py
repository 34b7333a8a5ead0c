"""Rows, opened and reduced: files found, fetched and hashed, windows resolved, profile parts computed in DuckDB."""
