# The service for a rented GPU host. Two stages: one that compiles, one that runs and holds no compiler.
#
#     docker build -t slurm-jobrunner .
#     docker build --build-arg TORCH=cuda -t slurm-jobrunner:cuda .     # none (default), cpu or cuda
#
# TORCH=cuda takes pip's newest wheels; --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu121 those for an older driver.

FROM debian:bookworm-slim AS build
COPY config/packages.txt /tmp/
# The part of the list above "# run".
RUN apt-get update \
 && apt-get install -y --no-install-recommends $(sed '/^# run/,$d; s/#.*//' /tmp/packages.txt) \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json supervisord.conf ./
COPY cmake cmake
COPY src src
COPY config config
RUN cmake --preset release -DJOBRUNNER_TESTS=OFF \
 && cmake --build build/release -- -j"$(nproc)" \
 && cmake --install build/release --strip --prefix /out/usr/local \
 && rm -rf build

FROM debian:bookworm-slim
COPY config/packages-image.txt /tmp/
# Users have the same numbers in every image, so that a volume keeps its owners; Debian fixes Slurm's.
# policy-rc.d: nothing is started here.
RUN n=61651; for user in jobrunner runner munge s3fs; do \
      groupadd --gid $n $user && useradd --uid $n --gid $n --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $user || exit 1; \
      n=$((n + 1)); \
    done \
 && printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(sed 's/#.*//' /tmp/packages-image.txt) \
 && echo user_allow_other >>/etc/fuse.conf \
 # Keys are made by each instance for itself; one in the image would be everybody's.
 && apt-get clean \
 && rm -rf /etc/munge/munge.key /tmp/packages-image.txt /usr/sbin/policy-rc.d /root/.cache /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt
# A layer of its own: another TORCH changes nothing below it.
ARG TORCH=none
ARG TORCH_INDEX=https://pypi.org/simple
RUN packages() { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
 && case "$TORCH" in \
      none) ;; \
      cpu) packages python3-torch ;; \
      cuda) packages python3-pip && pip install --break-system-packages --no-cache-dir --index-url "$TORCH_INDEX" torch ;; \
      *) echo "TORCH=$TORCH: must be none, cpu or cuda" >&2; exit 1 ;; \
    esac \
 && apt-get clean && rm -rf /root/.cache /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt
COPY --from=build /out/usr/local /usr/local

# With these, --gpus all brings the driver's libraries and nvidia-smi into the container.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    JR_BIND=0.0.0.0
EXPOSE 8080
LABEL org.opencontainers.image.title="slurm-jobrunner" \
      org.opencontainers.image.description="Turns a rented GPU host into a place to run jobs: an HTTP API and a single-node Slurm" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["/usr/local/share/jobrunner/instance.py", "health"]
ENTRYPOINT ["/usr/local/share/jobrunner/entrypoint.sh"]
