# One image for web, worker and duties: `docker build -t voxtrace .`, then a command of `voxtrace`.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/voxtrace
ENV PATH=/opt/voxtrace/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# dependencies first: this layer stays while only the code changes
COPY requirements.txt ./
RUN pip install -r requirements.txt "psycopg[binary]>=3.2,<4"
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY telemetry telemetry
COPY migrations migrations
# a plain install: `migrations` is one of the packages, so `voxtrace migrate` works in the image
RUN pip install --no-deps .

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/voxtrace --create-home voxtrace
COPY --from=build /opt/voxtrace /opt/voxtrace
ENV PATH=/opt/voxtrace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VOXTRACE_HOME=/var/lib/voxtrace
USER voxtrace
WORKDIR /var/lib/voxtrace
VOLUME /var/lib/voxtrace
EXPOSE 8082
ENTRYPOINT ["voxtrace"]
CMD ["--help"]
