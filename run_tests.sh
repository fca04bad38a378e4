#!/usr/bin/env bash
# All tests. Installs what is missing from Debian's packages, builds, and prints 'N passed, N failed' last.
#
#     ./run_tests.sh              build, format, unit and integration tests
#     ./run_tests.sh all          what CI runs: also crashes at named places, AddressSanitizer, ThreadSanitizer, clang-tidy, the container, and the measurements in small
#     ./run_tests.sh WORD...      parts alone: unit integration faults format tidy asan tsan container machine bench
#     JR_BASE_URL=... JR_AUTH_TOKEN=... ./run_tests.sh     acceptance tests against that server; builds nothing
#
# JR_KILLS, JR_CTLD_KILLS and JR_CTLD_STOPS say how often tests kill the server or slurmctld, JR_SEED in which way; JR_KEEP=1
# keeps the site of the integration tests, JR_TORCH=cpu (or cuda) builds and tests the image with PyTorch, PYTEST_ADDOPTS reaches
# pytest, JR_MORE_ACCEPTANCE names more acceptance scripts, separated by colons.
set -uo pipefail
cd "$(dirname "$(realpath "$0")")" || exit 2

if [[ -n ${JR_BASE_URL:-} && -n ${JR_AUTH_TOKEN:-} ]]; then
  exec tests/acceptance.sh
fi

passed=0 failed=0
failures=()
jobs=$(nproc)
sites=$((jobs < 2 ? 2 : jobs > 4 ? 4 : jobs)) # private sites side by side: their tests mostly wait
work=$(mktemp -d /tmp/jr-tests-XXXXXX) || exit 2
chmod 755 "$work" # jobs run as another user and start programs from below it
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
python=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 # another clone finds what this one has compiled

heading() { printf '\n=== %s\n' "$1"; }

# step NAME COMMAND...: runs it with its output in sight and counts it as one test.
step() {
  local name=$1 started=$SECONDS status=0
  shift
  heading "$name"
  "$@" || status=$?
  note "$name" "$started" "$((status == 0))" "$((status != 0))"
  return "$status"
}

# counted NAME JUNIT COMMAND...: likewise, but counts the tests that it wrote to the files of this pattern.
# shellcheck disable=SC2086
counted() {
  local name=$1 files=$2 started=$SECONDS status=0 good bad
  shift 2
  heading "$name"
  rm -f $files
  "$@" || status=$?
  read -r good bad < <($python tests/checks/count.py $files 2>/dev/null || echo 0 1)
  if ((status != 0 && bad == 0)); then bad=1; fi # ended badly without saying which test did it
  note "$name" "$started" "$good" "$bad"
  return "$status"
}

note() {
  passed=$((passed + $3)) failed=$((failed + $4))
  (($4 == 0)) || failures+=("$1")
  printf -- '--- %s: %d passed, %d failed, %d s\n' "$1" "$3" "$4" "$((SECONDS - $2))"
}

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

# packages LIST...: what is missing of these lists.
packages() {
  local wanted missing=() name
  mapfile -t wanted < <(cat "$@" | sed 's/#.*//; s/[[:space:]]//g; /^$/d')
  for name in "${wanted[@]}"; do
    # node from elsewhere brings its own npm
    [[ $name == nodejs ]] && command -v node >/dev/null && continue
    [[ $name == npm ]] && command -v npm >/dev/null && continue
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  echo "installing ${missing[*]}"
  as_root apt-get -q update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
}

sources() { find src tests bench -name '*.cpp' -o -name '*.hpp' | sort; }
scripts() {
  find . -path ./build -prune -o -path ./.git -prune -o -name '*.sh' -print
  for one in .ci/run quickstart.sh; do [[ -f $one ]] && echo "./$one"; done
}

formatted() {
  local bad
  bad=$(sources | xargs clang-format --dry-run --Werror 2>&1 | sed -n 's/:[0-9]*:[0-9]*: error:.*//p' | sort | uniq -c)
  [[ -z $bad ]] || { printf 'lines to change with clang-format -i:\n%s\n' "$bad"; return 1; }
}

format() {
  step 'clang-format' formatted
  step 'layers include downwards only' $python tests/checks/layers_test.py src
  step 'one co_await to a statement' tests/checks/one_await.sh src
  step 'shellcheck' bash -c 'sort -u | xargs shellcheck' < <(scripts)
}

# build PRESET [ON|OFF]: with or without the unit tests.
build() {
  mkdir -p build
  step "build: $1" bash -c "cmake --preset $1 -DJOBRUNNER_TESTS=${2:-ON} -Wno-dev >build/$1.configure.log 2>&1 || { cat build/$1.configure.log; exit 1; }; cmake --build --preset $1 -- -j$jobs"
}

# More at once than there are processors: they wait much. A program with a failed test gets a second try, as below.
unit() {
  counted "unit tests: $1" "build/$1/tests/unit/unit_*.xml" \
    ctest --test-dir "build/$1" -j"$((2 * jobs))" --repeat until-pass:2 --timeout 600 --output-on-failure --no-tests=error
}

# A real OpenAPI validator, kept in build/ between runs.
validator() {
  local folder=$PWD/build/openapi-validator
  JR_OPENAPI_VALIDATOR=$folder/node_modules/.bin/validate-api
  export JR_OPENAPI_VALIDATOR
  [[ -x $JR_OPENAPI_VALIDATOR ]] || { mkdir -p "$folder" && npm install --silent --no-fund --no-audit --prefix "$folder" @seriousme/openapi-schema-validator@2; }
}

# A real S3 server, kept likewise.
s3_server() {
  local folder=$PWD/build/s3rver
  JR_S3RVER=$folder/node_modules/s3rver/bin/s3rver.js
  export JR_S3RVER
  [[ -e $JR_S3RVER ]] || { mkdir -p "$folder" && npm install --silent --no-fund --no-audit --prefix "$folder" s3rver@3; }
}

# A tus client that others use, likewise.
tus_client() {
  export JR_TUS_CLIENT=$PWD/build/tus-client
  [[ -d $JR_TUS_CLIENT/node_modules/tus-js-client ]] || { mkdir -p "$JR_TUS_CLIENT" && npm install --silent --no-fund --no-audit --prefix "$JR_TUS_CLIENT" tus-js-client@4; }
}

# Real daemons beside each other on a small machine: a test that fails gets a second try, and is named (R).
integration() {
  local preset=$1
  step 'the OpenAPI validator' validator
  step 'the S3 server' s3_server
  step 'the tus client' tus_client
  step "install: $preset" bash -c "cmake --install build/$preset --prefix $work/$preset >/dev/null" || return
  JOBRUNNER_PREFIX=$work/$preset counted "integration tests: $preset" "$work/integration-$preset.xml" \
    $python -m pytest tests/integration -q -rR --reruns 1 -n "$sites" --dist loadfile --color=auto --durations=8 -p no:cacheprovider --junitxml "$work/integration-$preset.xml"
}

# The server with places to die at, for the tests that kill it there.
failpoints() {
  build failpoints OFF || return
  step 'install: failpoints' bash -c "cmake --install build/failpoints --prefix $work/failpoints >/dev/null" || return
  export JOBRUNNER_FAILPOINTS_PREFIX=$work/failpoints
}

# Alone, so that a night can be spent on it: JR_KILLS=300 ./run_tests.sh faults
faults() {
  step 'the S3 server' s3_server
  build release && failpoints && step 'install: release' bash -c "cmake --install build/release --prefix $work/release >/dev/null" || return
  JOBRUNNER_PREFIX=$work/release counted "faults" "$work/faults.xml" \
    $python -m pytest tests/integration/test_faults.py tests/integration/test_work_crashes.py tests/integration/test_crash.py -q -s -p no:cacheprovider --junitxml "$work/faults.xml"
}

# It looks at each file alone: a configuration without batches, of which nothing is built.
tidied() {
  mkdir -p build
  cmake --preset dev -B build/tidy -DJOBRUNNER_TESTS=OFF -Wno-dev >build/tidy.configure.log 2>&1 || { cat build/tidy.configure.log; return 1; }
  $python tests/checks/tidy.py build/tidy "$jobs"
}
tidy() { step 'clang-tidy' tidied; }

# JR_SKIP_SLOW leaves out tests that are not about memory or threads; JR_SLOWER lengthens the limits of the others.
# The unit tests look for leaks; the server, once it has given up root, may not be looked into for them.
asan() {
  build asan || return
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 ASAN_OPTIONS=detect_leaks=1 unit asan
  UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=0 JR_SKIP_SLOW=1 JR_SLOWER=3 JR_KILLS=5 integration asan
}

tsan_unit() { build tsan && TSAN_OPTIONS=second_deadlock_stack=1:halt_on_error=1 unit tsan; }
tsan() {
  tsan_unit
  TSAN_OPTIONS=second_deadlock_stack=1 JR_SKIP_SLOW=1 JR_SLOWER=5 JR_KILLS=5 integration tsan
}

# Needs an engine's daemon, or root: podman and buildah then do without one.
container() {
  docker info >/dev/null 2>&1 || step 'packages for containers' packages config/packages-container.txt || return
  step 'the S3 server' s3_server
  counted 'container tests' "$work/container.xml" \
    $python -m pytest tests/container -q -rR --reruns 1 --color=auto --durations=8 -p no:cacheprovider --junitxml "$work/container.xml"
}

# Alone, because it takes long where the processor helps no virtual machines.
machine() {
  docker info >/dev/null 2>&1 || step 'packages for containers' packages config/packages-container.txt || return
  step 'packages for a machine' packages config/packages-machine.txt || return
  counted 'container tests on a machine with cgroups version 2' "$work/machine.xml" $python -B tests/container/machine.py "$work/machine.xml"
}

# Whether the measurements work, not how fast anything is.
bench() { step 'measurements, in small' ./bench/run.sh --quick; }

both() { unit release; integration release; }

# What needs nothing but processors is done while tests wait for clocks; whoever comes for it later finds it done.
ahead() { (renice -n 19 "$BASHPID" && "$@") >>build/ahead.log 2>&1 & }
compile() {
  local preset
  for preset; do cmake --preset "$preset" -Wno-dev && cmake --build --preset "$preset" -- -j"$jobs"; done
}

all() {
  format
  build release || return
  ahead compile asan tsan
  both
  faults
  wait
  ahead tidied
  asan
  tsan_unit # its integration tests take too long for every change
  wait
  tidy
  container
  bench
}

step 'packages' packages config/packages.txt config/packages-test.txt || { echo "$passed passed, $failed failed"; exit 1; }
for word in "${@:-default}"; do
  case $word in
  default) format; build release && both ;;
  all) all ;;
  format) format ;;
  unit) build release && unit release ;;
  integration) build release && integration release ;;
  faults) faults ;;
  tidy) tidy ;;
  asan) asan ;;
  tsan) tsan ;;
  container) container ;;
  machine) machine ;;
  bench) bench ;;
  *) echo "unknown part '$word'; the parts are: unit integration faults format tidy asan tsan container machine bench all" >&2; exit 2 ;;
  esac
done

((failed == 0)) || { printf '\nfailed:\n'; printf '  %s\n' "${failures[@]}"; }
echo "$SECONDS s"
echo "$passed passed, $failed failed"
((failed == 0))
