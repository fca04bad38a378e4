"""What supervisord.conf starts by `instance.py run NAME`: the last steps before each program, then the program."""

import json
import os
import pwd
import resource
import socket
import time

from . import files, log_lines, s3fs, slurm_files

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PLAIN = {"PATH": PATH, "LANG": "C.UTF-8"}


def _slurmctld(root, of):
    end = time.monotonic() + 15  # it ends itself if munged is not there yet
    with socket.socket(socket.AF_UNIX) as s:
        while s.connect_ex(root + "/slurm/munge/socket") and time.monotonic() < end:
            time.sleep(0.05)
    slurm_files.renew(root, of["server_user"])
    if os.geteuid() == 0:
        user = pwd.getpwnam(of["slurm_user"])
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    os.execve("/usr/sbin/slurmctld", ["slurmctld", "-D", "-f", root + "/slurm/slurm.conf"], _PLAIN)


def _jobrunner(root, of):
    # As many connections as the machine allows; jobs have limits of their own.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    program = of["app"] + "/bin/jobrunner"
    os.execve(program, [program], {**_PLAIN, "HOME": "/", **json.loads(files.read(root + "/run/server.json"))})


def _s3fs(root, of):
    s3fs.run(root, of["bucket"])


def _stdout(_root, _of):
    log_lines.run()


ALL = {"slurmctld": _slurmctld, "jobrunner": _jobrunner, "s3fs": _s3fs, "stdout": _stdout}
