#!/usr/bin/env bash
# Put what a machine without a package index lacks for run.py into benchmarks/gpu/pack, which git ignores: wheels, and
# the real images of the study.
#
#     bash benchmarks/gpu/pack.sh REALDATA [PYTHON]
#
# REALDATA has the folders skin_ham10000 and endoscopy_bagls; PYTHON is the version there, 3.12 if not given. The checkout
# and the folder have to stay below 60 MB together.
set -euo pipefail

readonly MOST=60000000
readonly SETS=(skin_ham10000 endoscopy_bagls)

main() {
    local realdata=${1:-} python=${2:-3.12}
    [ -n "$realdata" ] || fail "name the folder of the real images: bash benchmarks/gpu/pack.sh REALDATA"
    for name in "${SETS[@]}"; do
        [ -d "$realdata/$name" ] || fail "no folder $realdata/$name; REALDATA has to hold ${SETS[*]}"
    done
    realdata=$(cd "$realdata" && pwd)
    cd "$(dirname "$0")/../.."
    local pack=benchmarks/gpu/pack new=benchmarks/gpu/pack/new
    rm -rf "$new"
    trap 'rm -rf benchmarks/gpu/pack/new' EXIT
    mkdir -p "$new/data"
    download_wheels "$python" "$new/wheels"
    for name in "${SETS[@]}"; do
        cp -r "$realdata/$name" "$new/data/"
    done
    chmod -R u+w "$new"
    rm -rf "$pack/wheels" "$pack/data"
    mv "$new/wheels" "$new/data" "$pack/"
    check_size "$pack"
}

fail() {
    echo "pack: $1" >&2
    exit 2
}

download_wheels() { # for Linux on x86-64, whatever this machine is
    local abi=cp${1//./} platforms=()
    for version in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014; do
        platforms+=(--platform "${version}_x86_64")
    done
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version "$1" \
        --implementation cp --abi "$abi" --abi abi3 --abi none "${platforms[@]}" --dest "$2" \
        --requirement benchmarks/gpu/wheels.txt ||
        fail "the wheels of benchmarks/gpu/wheels.txt cannot be had for Python $1; name another version or change the file"
}

check_size() {
    local checkout folder
    checkout=$(git ls-files --cached --others --exclude-standard -z | count_bytes)
    folder=$(find "$1" -type f -print0 | count_bytes)
    echo "checkout $((checkout / 1000)) kB, $1 $((folder / 1000)) kB, at most $((MOST / 1000)) kB together"
    [ $((checkout + folder)) -le "$MOST" ] || fail "checkout and $1 are too large together; leave out what is not needed"
}

count_bytes() { # of the files whose names come in, each with a zero byte behind it; those that are gone count nothing
    xargs -0 stat --format=%s 2>/dev/null | awk '{ total += $1 } END { printf "%d", total }' || true
}

main "$@"
