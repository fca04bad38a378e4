#!/usr/bin/env bash
# What a user of this service relies on, against any running server, with curl and jq alone:
#     JR_BASE_URL=http://localhost:8080 JR_AUTH_TOKEN=... tests/acceptance.sh
# GPUS, CPUS and MEM_GB are what a job may ask of its node; WAIT_S is how long one may take.
# Prints a line for each check and, last, 'N passed, N failed'; exits 1 if anything failed.
set -u
base=${BASE:-${JR_BASE_URL:-http://localhost:8080}} token=${TOK:-${JR_AUTH_TOKEN:-change-me}}
gpus=${GPUS:-1} cpus=${CPUS:-2} mem_gb=${MEM_GB:-8} wait_s=${WAIT_S:-120}
passed=0 failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

ok() { # ok NAME COMMAND...: one check; the command's status decides
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
  fi
}
call() { curl -sS --max-time 310 -H "Authorization: Bearer $token" "$@"; }
code() { call -o /dev/null -w '%{http_code}' "$@"; }
contains() { [[ $1 == *"$2"* ]]; }
is() { [[ $1 == "$2" ]] || { echo "     is '${1:0:200}', want '$2'"; return 1; }; }
field() { jq -r "$1" <<<"$2" 2>/dev/null; }
submit() { call "$@" "$base/jobs" | sed -n 's/.*"job_id":[ ]*\([0-9]*\).*/\1/p'; }
finish() { # finish JOB: the state the job ended in, seen as a script written for the first server would see it
  local end=$((SECONDS + wait_s)) state=''
  while ((SECONDS < end)); do
    state=$(call "$base/jobs/$1" | grep -o '"status":"[^"]*"' | cut -d'"' -f4)
    case $state in COMPLETED | FAILED | CANCELLED | TIMEOUT | OUT_OF_MEMORY | NODE_FAIL | LOST) break ;; esac
    sleep 0.5
  done
  echo "$state"
}

echo '# health and token'
ok 'health answers without a token' contains "$(curl -sS "$base/health")" '"ok":true'
ok 'health sees Slurm' contains "$(curl -sS "$base/health")" '"slurm":true'
ok 'no token is a 401' contains "$(curl -sSi "$base/datasets/exists/abc")" 'HTTP/1.1 401'
ok 'a wrong token is a 401' is "$(curl -sS -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer nope' "$base/jobs/1")" 401

echo '# datasets'
mkdir data
date +%s.%N >data/file.txt
echo 'more' >single.txt
tar -cJf set.tar.xz data
tar -czf set.tar.gz single.txt data
sha=$(sha256sum set.tar.xz | cut -d' ' -f1)
other=$(sha256sum set.tar.gz | cut -d' ' -f1)
ok 'a dataset that nobody sent does not exist' contains "$(call "$base/datasets/exists/$sha")" '"exists": false'
answer=$(call -F file=@set.tar.xz -F sha256="$sha" "$base/datasets/upload")
ok 'a tar.xz is stored under its sha256' is "$(field .sha256 "$answer")" "$sha"
ok 'an archive becomes a folder' contains "$(field .stored_path "$answer")" "$sha/"
ok 'exists says "exists": true' contains "$(call "$base/datasets/exists/$sha")" '"exists": true'
ok 'a tar.gz without its sha256 is stored too' is "$(field .sha256 "$(call -F file=@set.tar.gz "$base/datasets/upload")")" "$other"
ok 'the same again gives the same answer' is "$(call -F file=@set.tar.xz "$base/datasets/upload")" "$answer"
ok 'a wrong sha256 is a 400' is "$(code -F file=@single.txt -F sha256="$sha" "$base/datasets/upload")" 400
ok 'and nothing of it is kept' contains "$(call "$base/datasets/exists/$(sha256sum single.txt | cut -d' ' -f1)")" '"exists": false'
ok 'an import of a path that climbs is a 400' is "$(code -F src_path=../../etc/passwd "$base/datasets/import_path")" 400

echo '# a training job'
job=$(submit -F dataset_sha="$sha" -F command_key=pytorch_example -F gpus="$gpus" -F cpus="$cpus" -F mem_gb="$mem_gb" -F time_limit=00:10:00)
ok 'a submit answers with a job_id' test -n "$job"
ok 'the job reaches COMPLETED' is "$(finish "$job")" COMPLETED
log=$(call "$base/jobs/$job/log")
ok 'its log begins with JOB_START' contains "$log" JOB_START
ok 'its log ends with JOB_END' contains "$log" JOB_END
ok 'its result says ok' is "$(field .ok "$(call "$base/jobs/$job/result")")" true
outputs=$(call "$base/outputs/by_job/$job")
ok 'its outputs are listed' test "$(field '.outputs | length' "$outputs")" -ge 2
experiment=$(field '.outputs[0].experiment_id' "$outputs")
ok 'its experiment is job-<id>' is "$experiment" "job-$job"
call -fL -o by_id.pth "$base/outputs/download?experiment_id=$experiment&output_id=weights"
ok 'its weights download by their id' test -s by_id.pth
call -fL -o by_path.pth "$base/outputs/download_by_job?job_id=$job&rel_path=weights/model.pth"
ok 'and by their path, the same bytes' cmp -s by_id.pth by_path.pth
call -f -H 'Range: bytes=0-9' -o part.pth "$base/outputs/download?experiment_id=$experiment&output_id=weights"
ok 'and in part' cmp -s <(head -c 10 by_id.pth) part.pth
ok 'outputs are listed by experiment' contains "$(call "$base/outputs?experiment_id=$experiment")" '"weights"'
ok 'and by the beginning of their path' is "$(field '.outputs | length' "$(call "$base/outputs?experiment_id=$experiment&prefix=weights/")")" 1

echo '# parameters, waiting, cancelling'
# shellcheck disable=SC2016 # that nothing expands it is the point
quoted='{"lr": 0.1, "text": "it'"'"'s; $(touch x) \"quoted\""}'
job=$(submit -F dataset_sha="$sha" -F command_key=echo_params --form-string params_json="$quoted" -F gpus=0 -F cpus=1 -F mem_gb=1 -F time_limit=00:02:00)
ok 'a long-poll answers when the job is done' is "$(field .done "$(call "$base/jobs/$job?wait=$wait_s")")" true
ok 'echo_params gives its parameters back' is "$(field '.params.text' "$(call "$base/jobs/$job/result")")" "$(field .text "$quoted")"
ok 'indexing again counts the outputs' test "$(field .count "$(call -X POST "$base/outputs/index/$job")")" -ge 1
job=$(submit --data-urlencode dataset_sha="$other" -d command_key=echo_params -d gpus=0 -d cpus=1 -d mem_gb=1)
ok 'a urlencoded submit is taken' test -n "$job"
ok 'a cancel is acknowledged' contains "$(call -X POST "$base/jobs/$job/cancel")" '"status":"CANCELLED_REQUESTED"'
ok 'and the job ends' contains 'CANCELLED COMPLETED' "$(finish "$job")"

echo '# refusals'
ok 'an unknown command key is a 400' is "$(code -F dataset_sha="$sha" -F command_key=nope "$base/jobs")" 400
ok 'parameters that are no JSON are a 400' is "$(code -F dataset_sha="$sha" -F command_key=echo_params -F params_json='{' "$base/jobs")" 400
ok 'an unknown dataset is a 404' is "$(code -F dataset_sha="$(printf '0%.0s' {1..64})" -F command_key=echo_params "$base/jobs")" 404
ok 'an unknown job is a 404' is "$(code "$base/jobs/999999999")" 404
ok 'a path that climbs out of a result is a 400' is "$(code "$base/outputs/download_by_job?job_id=$job&rel_path=../../jr_slurm.db")" 400
ok 'a refusal says why' contains "$(field .detail "$(call -F dataset_sha="$sha" -F command_key=nope "$base/jobs")")" command_key

echo "$passed passed, $failed failed"
((failed == 0))
