# watchdog in a container: docker build -t watchdog .
#   docker run -d --name watchdog -v ./watchdog.toml:/etc/watchdog/watchdog.toml:ro -v watchdog:/var/lib/watchdog watchdog
#   docker run --rm watchdog check --once --flower http://flower:5555 --redis redis://redis:6379/0
# No secret belongs into the image: --env SLACK_WEBHOOK_URL, or a mounted file that watchdog.toml names as ${file:/run/secrets/slack}.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY rules rules
COPY watchdog watchdog
# --build-arg EXTRAS=postgres,charts
ARG EXTRAS=""
RUN python -m venv --without-pip /opt/watchdog \
 && pip --python /opt/watchdog/bin/python install --no-cache-dir --disable-pip-version-check --no-compile ".${EXTRAS:+[$EXTRAS]}" \
 && /opt/watchdog/bin/python -m compileall -q /opt/watchdog/lib

FROM python:3.13-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/watchdog --shell /usr/sbin/nologin watchdog \
 && install -d -o watchdog -g watchdog -m 0700 /var/lib/watchdog \
 && install -d -m 0755 /etc/watchdog
COPY --from=build /opt/watchdog /opt/watchdog
# Where the database goes; `database` in watchdog.toml names another place.
ENV PATH=/opt/watchdog/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIRECTORY=/var/lib/watchdog
WORKDIR /var/lib/watchdog
USER 10001:10001
VOLUME /var/lib/watchdog
# The daemon touches this file every 10 s while no target's cycle is overdue and every receiver's delivery is at work. What is
# wrong with the cluster makes no container unhealthy. With PostgreSQL there is no such file: ask /healthz ([http]).
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["sh", "-c", "test ! -e /var/lib/watchdog/watchdog.db.lock || find /var/lib/watchdog/watchdog.db.lock -mmin -1 | grep -q ."]
ENTRYPOINT ["watchdog"]
CMD ["run"]
