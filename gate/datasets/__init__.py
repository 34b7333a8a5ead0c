"""Rows behind a URI, reduced to profile parts by SQL."""
