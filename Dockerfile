# llmseg with what train, predict and report need. It runs the demo: four pipelines on drawn images, and a leaderboard.
#
#     docker build -t llmseg .
#     docker run --rm llmseg
#     docker run --rm --gpus all -v "$PWD/mine:/mine" llmseg llmseg doctor
#
# torch of the default index brings CUDA, and computes on the CPU where there is no GPU. For a small image without CUDA,
# name the index of torch's wheels for the CPU, whose address pytorch.org has under "Get started":
#
#     docker build -t llmseg:cpu --build-arg TORCH_INDEX=ADDRESS .
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

ARG TORCH_INDEX=
ENV PYTHONUNBUFFERED=1

WORKDIR /llmseg
COPY setup.cfg pyproject.toml README.md LICENSE NOTICE ./
COPY llmseg llmseg
COPY benchmarks benchmarks
# Of two wheels of one version, pip takes that whose version names the CPU.
RUN PIP_EXTRA_INDEX_URL="$TORCH_INDEX" pip install --no-cache-dir . \
    && useradd --uid 1000 --create-home user && mkdir runs && chown 1000 runs

USER 1000
CMD ["python", "benchmarks/run_all.py", "--quick"]
