#!/bin/sh
# Time the image model on a GPU machine that has torch, transformers, accelerate, numpy and safetensors, and no network.
#
#   deploy/bench/gpu.sh pack FOLDER   here: the code and the wheels that are missing there, 15 MB (needs the network)
#   FOLDER/gpu.sh run                 there: every row of the table, at most about 8 minutes
set -eu

case "${1:-}" in
pack)
    folder=${2:?"name a folder to pack into"}
    root=$(cd "$(dirname "$0")/../.." && pwd)
    mkdir -p "$folder/wheels" "$folder/code/core" "$folder/code/workers/vision"
    version() { sed -n "s/^$1==\\([^ ;]*\\).*/\\1/p" "$root/constraints.txt"; }
    "${PYTHON:-python3}" -m pip download --quiet --dest "$folder/wheels" --no-deps --only-binary=:all: \
        --python-version "${TARGET_PYTHON:-3.12}" --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 \
        "diffusers==$(version diffusers)" "peft==$(version peft)" "pydantic==$(version pydantic)" \
        "pydantic-core==$(version pydantic-core)" "annotated-types==$(version annotated-types)" \
        "typing-inspection==$(version typing-inspection)" "importlib-metadata==$(version importlib-metadata)" "zipp==$(version zipp)" "pillow==$(version pillow)"
    cp "$root"/core/__init__.py "$root"/core/errors.py "$root"/core/words.py "$folder/code/core/"
    cp "$root"/workers/__init__.py "$folder/code/workers/"
    cp "$root"/workers/vision/__init__.py "$root"/workers/vision/geometry.py "$root"/workers/vision/licences.py "$folder/code/workers/vision/"
    cp -r "$root"/workers/diffusion "$folder/code/workers/"
    find "$folder/code" -name __pycache__ -type d -prune -exec rm -rf {} +
    cp "$0" "$folder/gpu.sh"
    du -sh "$folder"
    ;;
run)
    here=$(cd "$(dirname "$0")" && pwd)
    python=${PYTHON:-python3}
    "$python" -m pip install --quiet --no-index --no-deps --target "$here/packages" "$here"/wheels/*.whl
    export PYTHONPATH="$here/code:$here/packages" HF_HUB_OFFLINE=1
    exec "$python" -u -m workers.diffusion.bench --minutes "${MINUTES:-7}"
    ;;
*)
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
