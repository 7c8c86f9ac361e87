# The images that need no GPU: `gateway`, without numerics, and `cpu`, for every stage and for fits.
#   docker build -f deploy/docker/cpu.Dockerfile --target gateway -t lipstream-gateway:0.1.0 .
#   docker build -f deploy/docker/cpu.Dockerfile --target cpu     -t lipstream-cpu:0.1.0 .
# BASE is a Debian 12; name it by digest to be exact.
ARG BASE=docker.io/library/debian:bookworm-20250520-slim

FROM ${BASE} AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/* /usr/share/doc /usr/share/locale /usr/share/man \
 && useradd --uid 10001 --no-create-home --home-dir /tmp lipstream \
 && mkdir -p /var/lib/lipstream /objects && chown 10001:10001 /var/lib/lipstream /objects
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/lipstream/services \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    LIPSTREAM_HOST=0.0.0.0 \
    LIPSTREAM_DATA_DIR=/var/lib/lipstream

FROM python AS builder
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
# cyclonedx-bom writes the list of what an image holds; it stays out of the image.
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --no-cache-dir cyclonedx-bom==7.1.0 \
 && python3 -m venv --without-pip /opt/venv && ln -sf python3 /opt/venv/bin/python

FROM builder AS gateway-builder
COPY deploy/docker/requirements/gateway.txt /tmp/
RUN /opt/tools/bin/pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --require-hashes -r /tmp/gateway.txt \
 && /opt/tools/bin/cyclonedx-py environment /opt/venv/bin/python --output-file /opt/sbom.json
COPY deploy/docker/healthcheck.py /opt/lipstream/
COPY services /opt/lipstream/services
RUN mv /opt/sbom.json /opt/lipstream/ && python3 -m compileall -q /opt/lipstream/services

FROM builder AS cpu-builder
COPY deploy/docker/requirements/cpu.txt deploy/docker/requirements/mediapipe.txt /tmp/
RUN /opt/tools/bin/pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --require-hashes -r /tmp/cpu.txt -r /tmp/mediapipe.txt \
 && /opt/tools/bin/cyclonedx-py environment /opt/venv/bin/python --output-file /opt/sbom.json \
 && find /opt/venv/lib -type d -name tests -prune -exec rm -rf {} +
COPY deploy/docker/healthcheck.py /opt/lipstream/
COPY services /opt/lipstream/services
RUN mv /opt/sbom.json /opt/lipstream/ && python3 -m compileall -q /opt/lipstream/services
COPY model_repository /opt/lipstream/model_repository
# Kernels for any x86-64 with AVX2 (2013 and later), whatever this machine has.
ENV NUMBA_CPU_NAME=x86-64-v3 \
    NUMBA_CPU_FEATURES=+avx,+avx2,+bmi,+bmi2,+cx16,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave
RUN LIPSTREAM_KERNELS=/opt/lipstream/kernels /opt/venv/bin/python -c "from lipstream.render import warm_up; warm_up(fitting=True)"

FROM python AS gateway
COPY --from=gateway-builder /opt/venv /opt/venv
COPY --from=gateway-builder /opt/lipstream /opt/lipstream
ENV LIPSTREAM_GATEWAY_PORT=8080
USER 10001:10001
EXPOSE 8080
CMD ["python", "-m", "lipstream.gateway"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "/opt/lipstream/healthcheck.py"]

FROM python AS cpu
COPY --from=cpu-builder /opt/venv /opt/venv
COPY --from=cpu-builder /opt/lipstream /opt/lipstream
ENV LIPSTREAM_METRICS_PORT=9100 \
    LIPSTREAM_KERNELS=/opt/lipstream/kernels \
    NUMBA_CACHE_DIR=/tmp/numba \
    NUMBA_CPU_NAME=x86-64-v3 \
    NUMBA_CPU_FEATURES=+avx,+avx2,+bmi,+bmi2,+cx16,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave \
    MPLCONFIGDIR=/tmp/matplotlib \
    MALLOC_ARENA_MAX=2
USER 10001:10001
EXPOSE 9100 50051 50052 50053 50054
CMD ["python", "-m", "lipstream.render"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["python", "/opt/lipstream/healthcheck.py"]
