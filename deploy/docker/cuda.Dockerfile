# The image `cuda`: `cpu`, and what draws and fits on NVIDIA's GPUs (Ampere, Ada, Hopper).
#   docker build -f deploy/docker/cuda.Dockerfile --build-arg CPU=lipstream-cpu:0.1.0 -t lipstream-cuda:0.1.0 .
# CUDA's libraries come with torch, and its compiler from PyPI as well: the base stays the same Debian.
ARG CPU=lipstream-cpu:0.1.0

FROM ${CPU} AS builder
USER root
RUN apt-get update && apt-get install -y --no-install-recommends g++ python3-dev python3-venv
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --no-cache-dir cyclonedx-bom==7.1.0
COPY deploy/docker/requirements/cuda.txt deploy/docker/requirements/cuda-build.txt deploy/docker/requirements/gsplat.txt /tmp/
ENV PIP="/opt/tools/bin/pip --python /opt/venv/bin/python" \
    CUDA_HOME=/opt/venv/lib/python3.11/site-packages/nvidia/cu13
RUN $PIP install --no-cache-dir --no-deps --require-hashes -r /tmp/cuda.txt -r /tmp/cuda-build.txt
# gsplat's kernels are compiled here, for these GPUs: nobody waits for them at the first frame. It has
# them for 19 numbers of channels, up to 513, which takes hours; those kept are what is drawn with.
# The linker looks for names that only CUDA's own installer makes. A job takes some 3 GB of memory.
ARG GPUS="8.0;8.6;8.9;9.0+PTX"
ARG JOBS=4
ENV TORCH_CUDA_ARCH_LIST=${GPUS} \
    MAX_JOBS=${JOBS}
RUN ln -s lib $CUDA_HOME/lib64 && ln -s libcudart.so.13 $CUDA_HOME/lib/libcudart.so \
 && $PIP download --no-cache-dir --no-deps --no-build-isolation --no-binary gsplat --require-hashes \
    -r /tmp/gsplat.txt -d /tmp/source \
 && tar -xf /tmp/source/gsplat-*.tar.gz --strip-components 1 -C /tmp/source \
 && sed -i -E '/^ *__(INS|LAUNCH_KERNEL)__\(/{/\((1|3|4)\)/!d}' /tmp/source/gsplat/cuda/csrc/*.c* \
 && $PIP install --no-cache-dir --no-deps --no-build-isolation /tmp/source && rm -r /tmp/source \
 && /opt/venv/bin/python -c "import torch, gsplat.csrc" \
 && $PIP uninstall --yes -r /tmp/cuda-build.txt \
 && rm $CUDA_HOME/lib64 $CUDA_HOME/lib/libcudart.so \
 && /opt/tools/bin/cyclonedx-py environment /opt/venv/bin/python --output-file /opt/lipstream/sbom.json

FROM ${CPU} AS cuda
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /opt/lipstream/sbom.json /opt/lipstream/sbom.json
ENV LIPSTREAM_RENDER_DEVICE=cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video
USER 10001:10001
