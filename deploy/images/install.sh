#!/usr/bin/env bash
# Installs the product for serving, in images and on hosts, from files whose hashes the repository knows.
#
#   deploy/images/install.sh packages PREFIX [SET…]   the packages of deploy/locks: the product's, and sets beyond it (onnx; otel; aws; torch gpu)
#   deploy/images/install.sh product PREFIX           the product itself, its compiled kernels and its bill of materials
#
# Apart, so that an image's layer of packages outlives a change of the product. Run from anywhere; as whoever owns PREFIX.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() { sed -n '4,5s/^# \{0,3\}//p' "$0" >&2; exit 2; }
(($# >= 2)) || usage
what=$1 prefix=$2
shift 2
venv=$prefix/venv

case $what in
  packages)
    (($(id -u) != 0)) || export PIP_ROOT_USER_ACTION=ignore
    [[ -x $venv/bin/pip ]] || python3 -m venv "$venv"
    # Which packages there are is the lock's word alone: nothing is looked for that it does not name.
    install() { "$venv/bin/pip" install --disable-pip-version-check --no-cache-dir --no-compile --no-input --no-deps --require-hashes "$@"; }
    install -r deploy/locks/build.txt
    sets=()
    for set in default "$@"; do sets+=(-r "deploy/locks/$set.txt"); done
    # A package that comes as source is built with the setuptools of the lock, not with one fetched for it.
    install --no-build-isolation "${sets[@]}"
    ;;
  product)
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
    # Built from a copy: building writes into the source's folder.
    cp -R pyproject.toml core portal admin sso workers compliance migrations deploy "$build"
    "$venv/bin/pip" install --disable-pip-version-check --no-cache-dir --no-compile --no-input --no-deps --no-index --no-build-isolation \
      --force-reinstall "$build"
    "$venv/bin/python" -m compileall -q "$venv/lib" || true  # a package may carry a file for another Python
    cd "$prefix"  # so that what is installed is imported, not what lies here
    # What numba has compiled for any processor with AVX2, as the environment of the image says.
    NUMBA_CACHE_DIR=$prefix/kernels "$venv/bin/python" -W ignore -c 'from workers.process.warm import warm; warm()'
    "$venv/bin/python" -m deploy.bill >"$prefix/bill-of-materials.json"
    ;;
  *) usage ;;
esac
