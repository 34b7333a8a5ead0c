"""The gate over HTTP: an API for pipelines, pages for people, metrics for monitoring."""
