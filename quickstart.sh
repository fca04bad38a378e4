#!/usr/bin/env bash
# Sets up and runs an instance of the service on Debian 12, and shows what it does.
#
#   ./quickstart.sh          up, then demo
#   ./quickstart.sh up       install what is missing, build, start; again: only what has changed
#   ./quickstart.sh demo     one dataset in, one job, its weights out
#   ./quickstart.sh status   what runs, and where
#   ./quickstart.sh down     stop it; everything below JR_ROOT stays
#   ./quickstart.sh help
#
# Settings come from the environment each time (README.md has them all):
#   JR_ROOT         where everything lives   /opt/jobrunner as root, ~/jobrunner otherwise
#   PORT            of the API               8080, on 127.0.0.1 (JR_BIND)
#   JR_AUTH_TOKEN   the API's token          made at random once, kept in JR_ROOT/auth_token
#   JR_NUM_GPUS, JR_NUM_CPUS, JR_REAL_MEM_MB  what the machine has
# With another JR_ROOT and PORT there is a second, independent instance.
set -euo pipefail
umask 022 # what is installed must be readable for the users that run it

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "$(id -u)" = 0 ]; then root_default=/opt/jobrunner; else root_default=$HOME/jobrunner; fi
JR_ROOT=$(realpath -m -- "${JR_ROOT:-$root_default}")
export JR_ROOT
instance=$here/config/instance.py

bold='' red='' green='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'; fi
step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
die() { printf '%serror: %s%s\n' "$red" "$*" "$plain" >&2; exit 1; }

# --- up -----------------------------------------------------------------------------------

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "this needs root, and there is no sudo: run as root: $*"; fi
}

# Packages of config/packages.txt that are not installed.
missing_packages() {
  local wanted
  wanted=$(sed 's/#.*//' "$here/config/packages.txt" | xargs)
  # shellcheck disable=SC2086  # one word each
  comm -23 <(tr ' ' '\n' <<<"$wanted" | sort -u) \
    <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null | awk '$2 == "installed" {print $1}' | sort -u)
}

install_packages() {
  command -v dpkg-query >/dev/null || die "this is no Debian: install what config/packages.txt names by hand, or use a Debian 12 machine"
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  step "Installing Debian packages: ${missing[*]}"
  # Their own services (munge, slurmctld, slurmd, supervisor) are not wanted: ours run by themselves.
  # shellcheck disable=SC2016  # expanded by the inner shell
  as_root env DEBIAN_FRONTEND=noninteractive bash -c '
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
      trap "rm -f $policy" EXIT
      printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy
    fi
    apt-get update && apt-get install -y --no-install-recommends "$@"' - "${missing[@]}" \
    || die "apt-get failed, see above"
}

build() {
  local build=$here/build/release
  step "Building (a first time takes some minutes)"
  if [ ! -e "$build/build.ninja" ]; then cmake -S "$here" --preset release -DJOBRUNNER_TESTS=OFF || die "CMake cannot set up the build, see above"; fi
  cmake --build "$build" --target jobrunner jobrunner-job jobrunner-extract || die "the build failed, see above"
}

install_programs() {
  cmake --install "$here/build/release" --prefix "$JR_ROOT/app" >/dev/null
  chmod -R u=rwX,go=rX "$JR_ROOT/app" # whatever the modes in the checkout
}

about() { jq -r ".$1" "$JR_ROOT/run/instance.json"; }

# The address for this machine's own use.
base_url() {
  local host
  host=$(about bind)
  case $host in 0.0.0.0) host=127.0.0.1 ;; ::) host='[::1]' ;; *:*) host="[$host]" ;; esac
  echo "http://$host:$(about port)"
}

# Waits until the service and its Slurm answer and the node takes jobs; shows the log of what does not.
wait_until_healthy() {
  local url end health='' node='' program
  url=$(base_url)/health
  end=$((SECONDS + 60))
  while [ $SECONDS -lt $end ]; do
    if health=$(curl -sS --noproxy '*' -m 5 "$url" 2>&1) && jq -e '.ok and .slurm' <<<"$health" >/dev/null 2>&1; then
      node=$(SLURM_CONF=$JR_ROOT/slurm/slurm.conf timeout 20 sinfo -h -o %T 2>&1 || true)
      case $node in idle | mixed | allocated | completing) return 0 ;; esac
    fi
    sleep 0.3
  done
  printf '%s\n' "$url says: ${health:-nothing}" ${node:+"Slurm's node is: $node"} >&2
  "$instance" ctl status >&2
  program=$("$instance" ctl status | awk '$2 != "RUNNING" {print $1; exit}')
  [ -n "$program" ] || [ -z "$node" ] || program=slurmd
  [ -n "$program" ] || program=$(jq -e .ok <<<"$health" >/dev/null 2>&1 && echo slurmctld || echo jobrunner)
  printf '%s\n' "--- the end of $JR_ROOT/log/$program.log" >&2
  tail -n 30 "$JR_ROOT/log/$program.log" >&2
  die "the service has not come up within 60 s"
}

up() {
  local said
  install_packages
  # First what can refuse a setting, then what takes minutes.
  step "Preparing $JR_ROOT"
  "$instance" prepare
  build
  install_programs
  # From here on nothing depends on this folder.
  instance=$JR_ROOT/app/share/jobrunner/instance.py
  step "Starting munged, slurmctld, slurmd and the server under supervisord"
  said=$("$instance" start)
  echo "$said"
  wait_until_healthy
  summary
}

summary() {
  cat <<EOF
${green}The service is up.${plain}
  URL     $(base_url)
  token   in $(about token_file)
  try     curl -H "Authorization: Bearer \$(cat $(about token_file))" $(base_url)/jobs/1
  logs    $JR_ROOT/log/
  stop    $(again down)
EOF
}

# How to call this script again for the same instance.
again() {
  if [ "$JR_ROOT" = "$root_default" ]; then echo "./quickstart.sh $1"; else echo "JR_ROOT=$JR_ROOT ./quickstart.sh $1"; fi
}

need_instance() {
  [ -e "$JR_ROOT/run/instance.json" ] || die "JR_ROOT=$JR_ROOT: no instance there; make one with: $(again up)"
  instance=$JR_ROOT/app/share/jobrunner/instance.py
  [ -x "$instance" ] || die "JR_ROOT=$JR_ROOT: the programs are not there; install them with: $(again up)"
}

# --- demo ---------------------------------------------------------------------------------

# A call of the API; the token goes by a file, not by a command line that others can read.
api() {
  if ! curl -sS --noproxy '*' --fail-with-body -H "@$work/auth" -o "$work/answer" "$@"; then
    cat "$work/answer" >&2 2>/dev/null
    die "the call failed: ${*: -1}"
  fi
  cat "$work/answer"
}

demo() {
  need_instance
  local base sha job gpus answer status
  base=$(base_url)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (umask 077 && printf 'Authorization: Bearer %s\n' "$(cat "$(about token_file)")" >"$work/auth")
  curl -s --noproxy '*' -m 5 -o /dev/null "$base/health" || die "nothing answers at $base; start it with: $(again up)"

  step "A small dataset: 200 points near y = 3x + 2, as data.tar.xz"
  mkdir "$work/data"
  awk 'BEGIN {srand(1); print "x,y"; for (i = 0; i < 200; i++) {x = i / 100 - 1; printf "%.4f,%.4f\n", x, 3 * x + 2 + (rand() - 0.5) / 10}}' >"$work/data/train.csv"
  tar -C "$work" --sort=name --owner=0 --group=0 --mtime=@0 -cJf "$work/data.tar.xz" data
  sha=$(sha256sum "$work/data.tar.xz" | cut -d' ' -f1)
  ls -l "$work/data.tar.xz"

  step "Upload: POST /datasets/upload"
  api -F "file=@$work/data.tar.xz" -F "sha256=$sha" "$base/datasets/upload" | jq -c .

  gpus=$(about gpus)
  [ "$gpus" -le 1 ] || gpus=1
  step "Submit: POST /jobs, command_key=pytorch_example, gpus=$gpus"
  [ "$gpus" -gt 0 ] || echo "(this machine has no GPU, so the job asks for none)"
  answer=$(api -F "dataset_sha=$sha" -F command_key=pytorch_example -F "gpus=$gpus" -F cpus=1 -F mem_gb=1 -F time_limit=00:10:00 "$base/jobs")
  echo "$answer"
  job=$(jq -r .job_id <<<"$answer")

  step "Wait: GET /jobs/$job?wait=30, which answers when the job has ended"
  for _ in $(seq 20); do
    answer=$(api "$base/jobs/$job?wait=30")
    status=$(jq -r .status <<<"$answer")
    jq -r '.status + (if .reason // "" | length > 0 then " (" + .reason + ")" else "" end)' <<<"$answer"
    [ "$(jq -r .done <<<"$answer")" = false ] || break
  done

  step "Its log: GET /jobs/$job/log"
  api "$base/jobs/$job/log"
  [ "$status" = COMPLETED ] || die "job $job ended as $status: $(jq -c . <<<"$answer")"
  step "Its result: GET /jobs/$job/result"
  api "$base/jobs/$job/result" | jq .
  step "Its weights: GET /outputs/download?experiment_id=job-$job&output_id=weights"
  api "$base/outputs/download?experiment_id=job-$job&output_id=weights" >"model-$job.pth"
  ls -l "$PWD/model-$job.pth"
  summary
}

# --- status, down -------------------------------------------------------------------------

status() {
  need_instance
  "$instance" ctl status
  local health
  if health=$(curl -sS --noproxy '*' -m 5 "$(base_url)/health" 2>&1); then
    echo "health  $health"
    echo "URL     $(base_url)"
    echo "token   in $(about token_file)"
  else
    echo "not running; start it with: $(again up)"
    return 3 # as a service's status says that it is stopped
  fi
}

down() {
  need_instance
  local jobs
  jobs=$(SLURM_CONF=$JR_ROOT/slurm/slurm.conf timeout 5 squeue -h -t R -o %i 2>/dev/null | xargs) || jobs=''
  [ -z "$jobs" ] || echo "running jobs ($jobs) go on by themselves; the next 'up' finds them and their results again"
  "$instance" stop
  echo "everything below $JR_ROOT stays; start again with: $(again up)"
}

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

case ${1:-} in
  up | demo | status | down) [ $# = 1 ] || { usage >&2; exit 2; }; "$1" ;;
  '') up; demo ;;
  help | -h | --help) usage ;;
  *) echo "unknown: $*" >&2; usage >&2; exit 2 ;;
esac
