#!/bin/sh
# slurmd runs this as itself every few seconds, by slurm/health-check, which says which slurm.conf (HealthCheckProgram).
#
# A slurmctld that was killed can start a job once more that still runs. Its node refuses that, and slurmctld
# takes the node out of service for it ("Duplicate jobid"), for good: of a single node that is the whole service.
# The second start is no harm here (jobrunner-job sees to it), so the node comes back.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
node=${SLURMD_NODENAME:-}
[ -n "$node" ] || exit 0
case $(scontrol show node -o "$node" 2>/dev/null) in
*" Reason=Duplicate jobid "*) scontrol update NodeName="$node" State=RESUME ;;
esac
exit 0
