# The image of gate: `gate serve` by default, `gate worker` by another command. And, for docker-compose.yml, MLflow's server.
#
#     docker build --target gate --tag gate .
#
# The base is named by its tag. A digest would pin it better, but it can only be looked up where a container engine reaches
# its registry; put it here (python:3.11-slim-bookworm@sha256:...) when you build for more than a trial.
ARG PYTHON=python:3.11-slim-bookworm

# --- Install, byte by byte what requirements/*.txt have hashes of -----------------------------------------------------
FROM ${PYTHON} AS installer
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_CACHE_DIR=/var/cache/uv
WORKDIR /build
COPY requirements/image.txt requirements/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements/image.txt

FROM installer AS gate-installed
COPY requirements/server.txt requirements/
RUN --mount=type=cache,target=/var/cache/uv \
    uv venv /opt/gate && \
    uv pip install --python /opt/gate/bin/python --require-hashes --requirement requirements/server.txt
# The libraries above stay in their layer when only gate's own code changes.
COPY pyproject.toml README.md LICENSE ./
COPY policies policies
COPY gate gate
RUN uv pip install --python /opt/gate/bin/python --no-deps --no-build-isolation --offline .

FROM installer AS mlflow-installed
COPY requirements/mlflow.txt requirements/
RUN --mount=type=cache,target=/var/cache/uv \
    uv venv /opt/mlflow && \
    uv pip install --python /opt/mlflow/bin/python --require-hashes --requirement requirements/mlflow.txt

# --- MLflow's server, for docker-compose.yml --------------------------------------------------------------------------
FROM ${PYTHON} AS mlflow
LABEL org.opencontainers.image.title="MLflow, for gate's docker-compose.yml" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10002 mlflow && \
    useradd --uid 10002 --gid 10002 --no-create-home --home-dir /var/lib/mlflow --shell /usr/sbin/nologin mlflow && \
    install --directory --owner=10002 --group=10002 --mode=0750 /var/lib/mlflow
COPY --from=mlflow-installed /opt/mlflow /opt/mlflow
ENV PATH=/opt/mlflow/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MLFLOW_DISABLE_TELEMETRY=true
WORKDIR /var/lib/mlflow
USER 10002:10002
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5000/health', timeout=4)"]
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--workers", "1", "--backend-store-uri", "sqlite:////var/lib/mlflow/mlflow.db", "--artifacts-destination", "/var/lib/mlflow/artifacts"]

# --- gate -------------------------------------------------------------------------------------------------------------
FROM ${PYTHON} AS gate
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gate" \
      org.opencontainers.image.description="A production-readiness gate for machine-learning pilots" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
# /var/lib/gate is state (GATE_HOME). /srv/gate is where policies/ and data/ are mounted: relative settings begin there.
RUN groupadd --gid 10001 gate && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/gate --shell /usr/sbin/nologin gate && \
    install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/gate /var/lib/gate/tmp /srv/gate
COPY --from=gate-installed /opt/gate /opt/gate
# What was compiled above is all the bytecode there is: nothing is written beside the code, so the root file system may be
# read-only. Only /var/lib/gate is written to, and /tmp where it is not a volume: what an evaluation downloads or spills may
# be large, and /tmp is often memory.
ENV PATH=/opt/gate/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MLFLOW_DISABLE_TELEMETRY=true \
    TMPDIR=/var/lib/gate/tmp \
    GATE_HOME=/var/lib/gate \
    GATE_HOST=0.0.0.0 \
    GATE_PORT=8484
WORKDIR /srv/gate
USER 10001:10001
EXPOSE 8484
STOPSIGNAL SIGTERM
# Alive, not ready: an engine that restarts what is unhealthy shall not restart gate because its database is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['GATE_PORT'] + '/livez', timeout=4)"]
CMD ["gate", "serve"]
