"""Folders and files with the right owner and mode, whatever was there before.

Runs as root in folders that less trusted users may write: no link is ever followed.
"""

import os
import pwd
import secrets
import stat


def ids(user, group_of=None):
    """(uid of `user`, first gid of the user `group_of`, or of `user`)"""
    return pwd.getpwnam(user).pw_uid, pwd.getpwnam(group_of or user).pw_gid


def _own(fd, owner, mode):
    now = os.fstat(fd)
    if (now.st_uid, now.st_gid) != owner:
        os.fchown(fd, *owner)
    if stat.S_IMODE(now.st_mode) != mode:
        os.fchmod(fd, mode)  # after chown, which drops bits


def folder(path, owner, mode):
    """Makes `path` a folder of `owner` (uid, gid) with `mode`. What is in it stays as it is."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _own(fd, owner, mode)
    finally:
        os.close(fd)


def adopt(path, owner, mode):
    """Gives an existing regular file to `owner`; nothing if there is none. A file with several
    names may be another's too: it is left alone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        seen = os.fstat(fd)
        if stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1:
            _own(fd, owner, mode)
    finally:
        os.close(fd)


def touch(path, owner, mode):
    """Makes an empty file if there is none."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError:
        pass
    adopt(path, owner, mode)


def read(path):
    """Content of a regular file, b"" if there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    with open(fd, "rb") as f:
        return f.read() if stat.S_ISREG(os.fstat(fd).st_mode) else b""


def write(path, content, owner, mode):
    """Makes `path` a file with this content, whole or not at all. Whether that changed it."""
    if isinstance(content, str):
        content = content.encode()
    same = os.path.lexists(path) and not os.path.islink(path) and read(path) == content
    if same:
        adopt(path, owner, mode)
        return False
    temporary = f"{path}.{secrets.token_hex(6)}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(fd, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
            _own(f.fileno(), owner, mode)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return True
