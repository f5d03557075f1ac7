FROM python:3.14-slim AS build
WORKDIR /source
COPY constraints.txt .
RUN python -m venv /opt/monometer
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY src src
RUN /opt/monometer/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .

FROM python:3.14-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin monometer
COPY --from=build /opt/monometer /opt/monometer
# MONOMETER_DATABASE_URL is required: the image carries no embedded PostgreSQL.
ENV PATH=/opt/monometer/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MONOMETER_ADDRESS=0.0.0.0:8888
USER 10001
EXPOSE 8888
# Alive, not ready: a database that is away is no reason to restart the server.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8888/healthz/live', timeout=4)"]
ENTRYPOINT ["monometer"]
CMD ["serve"]
