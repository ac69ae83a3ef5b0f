# target-dotdigital, and the sandbox, as a user without rights of its own:
#
#   docker build --build-arg VERSION=1.2.3 --tag target-dotdigital .
#   some-tap | docker run --rm --interactive --env-file .env target-dotdigital --config ENV
#
# What is written (rejects, reports, a sandbox) goes to /data. The base is pinned by its tag, not by
# its digest, so that a rebuild takes Python's and Debian's security updates in.
ARG PYTHON=3.14-slim-trixie

FROM python:${PYTHON} AS build

# The version comes from Git's tags, and .git is not part of the context.
ARG VERSION=0.1.0.dev0
ENV SETUPTOOLS_SCM_PRETEND_VERSION=${VERSION}

WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY target_dotdigital ./target_dotdigital
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && python -m venv /opt/target-dotdigital \
    && /opt/target-dotdigital/bin/pip install --no-cache-dir \
        "target-dotdigital[sandbox] @ file://$(echo /wheels/*.whl)" \
    && /opt/target-dotdigital/bin/pip uninstall --yes pip

FROM python:${PYTHON}

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin singer \
    && install --directory --owner=singer --group=singer /data
COPY --from=build /opt/target-dotdigital /opt/target-dotdigital
ENV PATH=/opt/target-dotdigital/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /data
USER 10001:10001
ENTRYPOINT ["target-dotdigital"]
