"""Answer every open question about a GPU in one command with a budget of minutes.

    python benchmarks/gpu/run.py --minutes 9
    python benchmarks/gpu/run.py --device cpu --minutes 3    # everything in small, to see that it runs

The stages run in order of worth, each with its share of the time; README.md says what each of them answers. A file of
JSON per stage is written after every item. The same command again goes on: what is finished is not done again, and
what failed is tried again at the end of its stage. Exit code 1 means that something failed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # The GPU is touched in forked processes only; otherwise whoever asks torch for one would spoil it for them.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    # What other benchmarks measure with is used here, too.
    sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "throughput")]
    import benchmark
    import sitting

    benchmark.run(lambda: sitting.main(__doc__))
