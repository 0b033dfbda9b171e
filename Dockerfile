# One image for every process; compose.yaml says which command each runs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.txt requirements-monitoring.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir -r requirements.txt -r requirements-monitoring.txt

FROM python:3.11-slim-bookworm
# Pango and a font for PDF; pg_dump and pg_restore for `manage.py backup` and `restore`. Versions come with
# the release of Debian.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /tmp dashboard \
    && install --directory --owner=dashboard /data /data/exports /data/backups
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/dashboard
COPY . .
# Nothing is written at run time but below /data and /tmp: the rest may be read-only.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/srv/static \
    EXPORT_STORAGE_URL=file:///data/exports \
    REMAP_SIGTERM=SIGQUIT
# The values are for this step alone: nothing is asked of either address.
RUN DEBUG=true ENCRYPTION_KEYS=none DATABASE_URL=postgres://nobody@127.0.0.1/none REDIS_URL=redis://127.0.0.1 \
    python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q .
USER 10001
EXPOSE 8000
CMD ["gunicorn", "merchant.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
    "--threads", "4", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
