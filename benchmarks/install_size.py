"""How large a plain installation is, and what each extra adds.

    python benchmarks/install_size.py --json benchmarks/results/install.json

Sizes are those of the files of the packages that are installed here, so install all extras first
(``pip install ".[dev,docs]"`` brings them). Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import benchmark
from packaging.requirements import Requirement

LARGEST = 5
"""How many of the largest packages of a plain installation are named."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    results = measure("llmseg")
    print(f"plain: {results['plain']}")
    for name, facts in results["extras"].items():
        print(f"[{name}] adds {facts}")
    if options.json:
        benchmark.write_results(options.json, **results)


def measure(package: str) -> dict[str, dict[str, object]]:
    """Return packages and megabytes of a package with what it requires, and what every extra that is here adds."""
    plain = find_required(package)
    extras = sorted(metadata.metadata(package).get_all("Provides-Extra") or ())
    sizes = {name: size_of(name) for name in plain}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST]
    return {
        "plain": {**describe(plain), "largest": {name: round(sizes[name] / 1e6) for name in largest}},
        "extras": {
            extra: describe(find_required(package, extra) - plain)
            for extra in extras
            if len(find_required(package, extra)) > len(plain)
        },
    }


def find_required(package: str, extra: str = "") -> set[str]:
    """Return the names of a package, of what it requires, of what these require, and so on, as far as installed."""
    found: set[tuple[str, str]] = set()
    waiting = [(normalise(package), extra)]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in found:
            continue
        found.add((name, wanted))
        for text in requires(name):
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                inner = normalise(requirement.name)
                waiting += [(inner, each) for each in ("", *requirement.extras)]
    return {name for name, _ in found if is_installed(name)}


def requires(name: str) -> Iterable[str]:
    """Return the requirements of a package; none if it is not installed."""
    return (metadata.requires(name) or ()) if is_installed(name) else ()


def is_installed(name: str) -> bool:
    """Return whether a package is installed."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def normalise(name: str) -> str:
    """Return the name by which an index knows a package."""
    return re.sub(r"[-_.]+", "-", name).lower()


def size_of(name: str) -> int:
    """Return the bytes of a package's files."""
    paths = [Path(str(file.locate())) for file in metadata.files(name) or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def describe(names: set[str]) -> dict[str, int]:
    """Return number and megabytes of packages."""
    return {"packages": len(names), "megabytes": round(sum(map(size_of, names)) / 1e6)}


if __name__ == "__main__":
    benchmark.run(main)
