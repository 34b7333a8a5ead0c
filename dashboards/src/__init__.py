"""The Grafana dashboards as code: `python -m dashboards.src` writes dashboards/grafana/*.json."""
