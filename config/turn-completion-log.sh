#!/bin/sh
# turn-completion-log.sh LOG COMMAND...: slurmd runs this as itself every few seconds, by slurm/health-check.
#
# slurmctld's log of finished jobs grows for ever. At 64 MiB, some 150,000 jobs, it becomes LOG.1 and a new one is
# begun. The server reads both, so slurmctld may write to the old one until it has heard of it by the command.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
log=$1
shift
[ -n "$(find "$log" -size +65536k)" ] || exit 0
new=$(mktemp "$log.XXXXXX")
trap 'rm -f "$new"' EXIT
chown --reference="$log" "$new"
chmod 644 "$new"
ln -f "$log" "$log.1"
mv -f "$new" "$log" # at no time is there none
"$@"
