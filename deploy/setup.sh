#!/usr/bin/env bash
# Brings a bare Debian 12 or Ubuntu 24.04 to a working .venv; does nothing, quickly, where all is in place.
#
#   deploy/setup.sh [--dev] [--browser] [--gpu]
#
# --dev adds what tests and checks need, --browser a Chromium for the browser tests, --gpu the diffusion engine.
set -euo pipefail
cd "$(dirname "$0")/.."

DEV=0 BROWSER=0 GPU=0
for option in "$@"; do
  case "$option" in
    --dev) DEV=1 ;;
    --browser) DEV=1 BROWSER=1 ;;
    --gpu) GPU=1 ;;
    *) sed -n '4,6s/^# \{0,3\}//p' "$0" >&2; exit 2 ;;
  esac
done

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Two `make`s at once would write to one .venv; the second waits here for the first.
exec 9<constraints.txt
flock 9

# --- Python -----------------------------------------------------------------------------------------------
# Asked by running it: pyenv leaves shims on PATH for versions that are not active.
suitable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1; }

python=
for candidate in .venv/bin/python python3.11 python3.12 python3 /usr/bin/python3; do
  if suitable "$candidate"; then python=$candidate; break; fi
done
[[ -n $python ]] || fail "Python 3.11 or 3.12 is needed. On Debian 12 and Ubuntu 24.04: apt-get install python3"

# --- System libraries -------------------------------------------------------------------------------------
packages=()

if [[ ! -x .venv/bin/pip ]] && ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  packages+=("python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv")
fi

# Library → Debian package. WeasyPrint loads the first six by name; OpenCV's wheel, which mediapipe
# brings, is linked to the rest. On Ubuntu 24.04 libglib2.0-0 is provided by libglib2.0-0t64.
libraries=(
  libpango-1.0.so.0=libpango-1.0-0 libpangoft2-1.0.so.0=libpangoft2-1.0-0
  libgobject-2.0.so.0=libglib2.0-0 libfontconfig.so.1=libfontconfig1
  libharfbuzz.so.0=libharfbuzz0b libharfbuzz-subset.so.0=libharfbuzz-subset0
  libGL.so.1=libgl1 libgthread-2.0.so.0=libglib2.0-0
)
missing=$("$python" - "${libraries[@]}" <<'PYTHON'
import ctypes, sys

wanted = dict(pair.split("=") for pair in sys.argv[1:])
lost = set()
for library, package in wanted.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        lost.add(package)
print(*sorted(lost))
PYTHON
)
read -ra missing <<<"$missing"
packages+=("${missing[@]}")

# Every page of a PDF needs Latin letters; the other scripts come further down, where failing stops nothing.
read -ra fonts <<<"$(PYTHONPATH=. "$python" deploy/fonts.py)"
[[ " ${fonts[*]} " == *" fonts-dejavu-core "* ]] && packages+=(fonts-dejavu-core)

# Asked by running it: Ubuntu's chromium-browser only says that a snap is wanted.
has_chromium() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if "$name" --version 2>/dev/null | grep -q '[0-9]\.[0-9]'; then return 0; fi
  done
  compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium-*/chrome-linux*/chrome" >/dev/null
}
distribution=$(. /etc/os-release && echo "$ID")
playwright_chromium=0
if ((BROWSER)) && ! has_chromium; then
  if [[ $distribution == ubuntu ]]; then playwright_chromium=1; else packages+=(chromium); fi
fi

as_root=none
if ((EUID == 0)); then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root='sudo -n'
fi

if ((${#packages[@]})); then
  install="apt-get install -y --no-install-recommends ${packages[*]}"
  if [[ $as_root == none ]] || ! command -v apt-get >/dev/null; then
    say 'Some system packages are missing, and installing them needs root. Run this, then try again:'
    say "  sudo apt-get update && sudo $install"
    exit 1
  fi
  say "installing system packages: ${packages[*]}"
  log=$(mktemp)
  # Old package lists name files that are gone, and a bare image has no lists at all.
  if ! $as_root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update && $install" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install them; its last words are above, all of them in $log"
  fi
  rm -f "$log"
fi

# --- Python packages --------------------------------------------------------------------------------------
[[ -x .venv/bin/pip ]] || "$python" -m venv --clear .venv

# --- Fonts for the names of people and companies ----------------------------------------------------------
read -ra fonts <<<"$(PYTHONPATH=. "$python" deploy/fonts.py)"
if ((${#fonts[@]})); then
  install="apt-get install -y --no-install-recommends ${fonts[*]}"
  # Tried once: a machine without network or root should not wait for it each time.
  if [[ $as_root != none && $(cat .venv/.fonts-tried 2>/dev/null) != "${fonts[*]}" ]] && command -v apt-get >/dev/null; then
    say "installing fonts: ${fonts[*]}"
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update && $install" >.venv/setup.log 2>&1 || true
    echo "${fonts[*]}" >.venv/.fonts-tried
    read -ra fonts <<<"$(PYTHONPATH=. "$python" deploy/fonts.py)"
  fi
fi
if ((${#fonts[@]})); then
  say 'some scripts have no font here: certificates print names in them as Unicode numbers. To have them:'
  say "  sudo apt-get update && sudo apt-get install --no-install-recommends ${fonts[*]}"
fi

state=$(cat pyproject.toml constraints.txt | sha256sum)
log=.venv/setup.log

installed() { [[ -f .venv/.installed-$1 && $(<".venv/.installed-$1") == "$state" ]]; }

pip_install() { # what to say, then pip's arguments
  local what=$1 start=$SECONDS
  shift
  say "installing $what; the first time takes a few minutes"
  if ! .venv/bin/pip install --disable-pip-version-check --no-input -c constraints.txt "$@" >"$log" 2>&1; then
    grep -v '^WARNING: Location' "$log" | tail -n 20 >&2
    fail "pip could not install them; its last words are above, all of them in $log"
  fi
  say "$what: done in $((SECONDS - start)) s"
}

if ((GPU)) && ! installed gpu; then
  if ! command -v nvidia-smi >/dev/null || ! nvidia-smi >/dev/null 2>&1; then
    say 'no NVIDIA GPU here: taking the CPU build of torch where one is at hand'
    pip_install 'torch 2.13.0' torch==2.13.0
  fi
  pip_install 'Python packages with the diffusion engine' -e '.[gpu,local]'
  echo "$state" >.venv/.installed-gpu
  echo "$state" >.venv/.installed-base
fi
if ((DEV)) && ! installed dev; then
  pip_install 'Python packages with tests and checks' -e '.[dev,local]'
  echo "$state" >.venv/.installed-dev
  echo "$state" >.venv/.installed-base
fi
if ! installed base; then
  pip_install 'Python packages' -e '.[local]'
  echo "$state" >.venv/.installed-base
fi

if ! installed kernels; then
  # Numba compiles them on first use and keeps them beside the package: once here, not in each worker at once.
  start=$SECONDS
  say 'compiling the matting kernels; about a minute, once'
  if ! .venv/bin/python -W ignore -c 'from workers.process.warm import warm; warm()' >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "the image libraries do not start; the last words are above, all of them in $log"
  fi
  say "matting kernels: done in $((SECONDS - start)) s"
  echo "$state" >.venv/.installed-kernels
fi

if ((playwright_chromium)); then
  say "installing Chromium for the browser tests"
  if [[ $as_root == none ]]; then
    .venv/bin/playwright install chromium >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "see $log"; }
    say 'if the browser tests miss libraries: sudo .venv/bin/playwright install-deps chromium'
  else
    $as_root .venv/bin/playwright install-deps chromium >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "see $log"; }
    .venv/bin/playwright install chromium >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "see $log"; }
  fi
fi
