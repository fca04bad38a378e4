"""The bucket that JR_B2_ENABLE=1 mounts: its settings, its folder, and the keys in a file for s3fs alone."""

import os
import re

from . import files
from .refusal import Refused

USER = "s3fs"
ENDPOINT = "s3.us-west-004.backblazeb2.com"


def key_file(root):
    return root + "/run/s3fs.key"


def problem_file(root):
    """Says why the folder cannot be read; empty while it can. The server shows it in its health."""
    return root + "/run/b2_problem"


def _text(pattern, right):
    def read(name, text):
        if not re.fullmatch(pattern, text, re.A):
            raise Refused(f"{name}={text}: must be {right}")
        return text
    return read


def _secret(name, text):
    if not re.fullmatch(r"[!-9;-~]{1,1000}", text):
        raise Refused(f"{name}: must be visible ASCII characters without blanks and colons")
    return text


def _url(endpoint):
    return (endpoint if "://" in endpoint else "https://" + endpoint).rstrip("/")


def settings(wanted, enabled):
    """How to mount the bucket; {} where nothing is to be mounted, or somebody else does it."""
    names = ("JR_B2_BUCKET", "JR_B2_KEY_ID", "JR_B2_APP_KEY")
    missing = [name for name in names if name not in wanted.env]
    if not enabled or (missing and not wanted.unattended):
        return {}
    if missing:
        wanted.instead(f"JR_B2_ENABLE=1 needs {', '.join(missing)}", "no bucket is mounted")
        return {}
    found = {
        "at": wanted.get("JR_B2_MOUNT", _text(r"/[A-Za-z0-9._/+-]+", "an absolute path of letters, digits and . _ - +"), "/mnt/b2"),
        "bucket": wanted.get("JR_B2_BUCKET", _text(r"[A-Za-z0-9][A-Za-z0-9.-]{1,61}[A-Za-z0-9]", "a bucket's name"), ""),
        # Of few characters: it is among s3fs's options, which commas part.
        "endpoint": _url(wanted.get("JR_B2_ENDPOINT", _text(r"(https?://)?[A-Za-z0-9.:\[\]-]+/?", "an endpoint such as s3.us-west-004.backblazeb2.com"), "")
                         or ENDPOINT),
        "region": wanted.get("JR_B2_REGION", _text(r"[a-z0-9-]+", "a region such as us-west-004"), ""),
        "key_id": wanted.get("JR_B2_KEY_ID", _secret, ""), "key": wanted.get("JR_B2_APP_KEY", _secret, "")}
    return found if all(value for name, value in found.items() if name != "region") else {}


def prepare(settings):
    for path in (key_file(settings.root), problem_file(settings.root)):
        if os.path.lexists(path):
            os.unlink(path)
    of = settings.bucket
    if not of:
        return
    owner = files.ids(USER if settings.as_root else settings.server_user)
    files.write(key_file(settings.root), f"{of['key_id']}:{of['key']}\n", owner, 0o400)
    files.write(problem_file(settings.root), "it is being mounted", owner, 0o644)
    if not mounted(of["at"]):
        os.makedirs(os.path.dirname(of["at"]), exist_ok=True)
        files.folder(of["at"], owner, 0o755)


def mounted(where):
    """Reads a list of the kernel's: a stat would hang with the mount."""
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        return any(line.split()[1] == where for line in mounts)
