#!/usr/bin/env bash
# Measures this service beside its peers on this machine. Installs what is missing from Debian's packages, and builds.
#
#     ./bench/run.sh                    all works, in earnest: keep the machine quiet for it
#     ./bench/run.sh NAME...            some of them; --list names all
#     ./bench/run.sh --quick [NAME...]  tiny sizes: whether the programs work, not how fast they are
#
# Results are in build/bench-results (or JR_BENCH_OUT): NAME.json, NAME.md, and NAME.svg where there is a plot.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

prefix=$(mktemp -d /tmp/jr-bench-XXXXXX)
chmod 755 "$prefix" # jobs run as another user and start programs from below it
trap 'rm -rf "$prefix"' EXIT
export PYTHONDONTWRITEBYTECODE=1
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

packages() {
  local wanted missing=() name
  mapfile -t wanted < <(cat "$@" | sed 's/#.*//; s/[[:space:]]//g; /^$/d')
  for name in "${wanted[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  echo "installing ${missing[*]}"
  as_root apt-get -q update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
}

quietly() { # the output only of what fails
  local log=build/bench.log
  "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
}

mkdir -p build
packages config/packages.txt config/packages-bench.txt
quietly cmake --preset release -DJOBRUNNER_BENCH=ON -Wno-dev
echo 'building'
quietly cmake --build --preset release -- -j"$(nproc)" src/all bench
quietly cmake --install build/release --prefix "$prefix"
status=0
/usr/bin/python3 bench/main.py --prefix "$prefix" --programs build/release/bench \
  --out "${JR_BENCH_OUT:-build/bench-results}" "$@" || status=$?
exit "$status"
