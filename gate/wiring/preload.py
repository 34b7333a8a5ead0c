"""What every evaluation imports, sooner or later: once in the process that children are forked from, not in each child.

Found by comparing `sys.modules` before and after an evaluation; a test holds the list to that.
"""

MODULES = (
    "gate.wiring.work",
    "gate.flow.evaluate",
    "gate.datasets.duck",
    "gate.evidence.gather",
    "gate.evidence.report",
    "gate.publish.report",
    "gate.registry.mlflow",
    "gate.store.open",
    "alembic.command",
    "mlflow.store.artifact.artifact_repository_registry",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.store.artifact.models_artifact_repo",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.tracking.client",
    "plotly.offline",
    "sqlglot.generators.duckdb",
)
