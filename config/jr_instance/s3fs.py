"""Runs s3fs, as a user of its own, and tells why the bucket is not there: `instance.py run s3fs`.

It tries for ever, since servers come back and networks too. Read-only: import_path reads, and nothing
here writes to a bucket by way of a folder.
"""

import ctypes
import os
import pwd
import re
import signal
import subprocess
import sys
import threading
import time

from . import bucket, files, hardware

_RETRY_S = 5  # supervisord starts what ends after that anew, however often

# What s3fs says when it gives up, in words that help.
_WORDS = (("invalid credentials", "the S3 server refuses the keys (JR_B2_KEY_ID, JR_B2_APP_KEY)"),
          ("bucket or key not found", "the S3 server knows no such bucket (JR_B2_BUCKET)"),
          ("unable to connect", "the S3 server cannot be reached (JR_B2_ENDPOINT)"),
          ("MOUNTPOINT: ", "JR_B2_MOUNT is no empty folder"),
          ("mountpoint is not empty", "JR_B2_MOUNT is no empty folder"),
          ("mount failed", "this container may not mount anything (it needs --privileged)"))


def _hindrance():
    """Why s3fs need not be started at all."""
    if not os.path.exists("/usr/bin/s3fs"):
        return "s3fs is not installed (Debian's package s3fs)"
    if os.geteuid() != 0 and b"user_allow_other" not in files.read("/etc/fuse.conf").split():
        return "/etc/fuse.conf has no line user_allow_other: the server could not read what s3fs mounts"
    return hardware.fuse_problem()


def _command(of, key_file):
    options = ["ro", "allow_other", "umask=0222", "mp_umask=0222", "use_path_request_style", "url=" + of["endpoint"],
               "passwd_file=" + key_file, "connect_timeout=10", "retries=2"]
    named = re.search(r"//s3[.-]([a-z0-9-]+)\.", of["endpoint"])
    region = of["region"] or (named.group(1) if named else "")
    if region:
        options.append("endpoint=" + region)
    return ["/usr/bin/s3fs", of["bucket"], of["at"], "-f", "-o", ",".join(options)]


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _become(name):
    if os.geteuid() == 0:
        user = pwd.getpwnam(name)
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


class _Problem:
    def __init__(self, root):
        self.file = open(bucket.problem_file(root), "r+", encoding="utf-8")

    def tell(self, text):
        self.file.seek(0)
        self.file.truncate()
        self.file.write(text)
        self.file.flush()

    def gone_once_readable(self, where, child):
        """A mount of s3fs's answers nobody until it has spoken with the bucket."""
        while child.poll() is None:
            try:
                if bucket.mounted(where):
                    os.listdir(where)
                    self.tell("")
                    return
            except OSError:
                pass  # s3fs ends, and says why
            time.sleep(0.1)


def _serve(of, root, problem):
    """Runs s3fs to its end; why it ended."""
    child = subprocess.Popen(_command(of, bucket.key_file(root)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, preexec_fn=_die_with_parent)

    def stop(*_):
        child.terminate()
        child.wait()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    said = ""
    threading.Thread(target=problem.gone_once_readable, args=(of["at"], child), daemon=True).start()  # since that may take long
    for line in child.stdout:
        said = (said + line)[-4000:]
        print(line, end="", flush=True)
    code = child.wait()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return next((words for key, words in _WORDS if key in said), f"s3fs ended with {code}; see log/s3fs.log")


def run(root, of):
    """Never returns."""
    subprocess.run(["/usr/bin/umount", "-l", of["at"]], check=False, stderr=subprocess.DEVNULL)  # what a killed one left
    problem = _Problem(root)
    why = _hindrance()
    if not why and os.geteuid() == 0:
        os.chmod("/dev/fuse", 0o666)  # as udev has it; what engines make for a container is root's alone on some hosts
    _become(bucket.USER)
    problem.tell(why or "it is being mounted")
    why = why or _serve(of, root, problem)
    print(f"not mounted: {why}", flush=True)
    problem.tell(why)
    time.sleep(_RETRY_S)
    sys.exit(1)
