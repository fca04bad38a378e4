"""Hostile archives, as {file name: bytes}; and their compressed twins.

Everything is made from nothing and is the same on every run. `victim` is an absolute folder, two
levels above the folder that is extracted into ("../../victim"), with a file `target` in it:
nothing may happen to it.

Run by hand: make_archives.py OUT_DIR VICTIM_DIR
"""
import bz2
import gzip
import io
import lzma
import random
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path

P = b"PWNED\n"
FILE, SYM, HARD, DIR = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


def entry(name, kind=FILE, data=b"", link="", mode=0o644, **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def tar(*entries, format=tarfile.PAX_FORMAT, **more):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, **more) as t:
        for info, data in entries:
            t.addfile(info, io.BytesIO(data) if info.type == FILE else None)
    return out.getvalue()


def file(name, data=P, **more):
    return entry(name, data=data, **more)


def patched_header(archive, at, value):
    """Overwrites bytes of the first header and mends its checksum."""
    b = bytearray(archive)
    b[at : at + len(value)] = value
    total = sum(b[:148]) + 32 * 8 + sum(b[156:512])
    b[148:156] = b"%06o\0 " % total
    return bytes(b)


def sparse(size, version="1.0"):
    """One byte of data that claims to be the start of a file of `size` bytes."""
    pax = {"GNU.sparse.name": "s"}
    if version == "1.0":
        data = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
        pax |= {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(size)}
    else:
        data = b"x"
        pax |= {"GNU.sparse.size": str(size), "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,1"}
    return tar(file("GNUSparseFile.0/s", data, pax_headers=pax))


def zip_of(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are the point
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, data)
    return out.getvalue()


def names(victim):
    yield "01_dotdot.tar", tar(file("../out_dotdot"))
    yield "02_dotdot_mid.tar", tar(file("a/../../out_dotdot2"))
    yield "03_abs.tar", tar(file(victim + "/abs_written"))
    yield "20_long_component.tar", tar(file("a" * 300))
    yield "21_long_path.tar", tar(file("/".join(["d" * 200] * 30) + "/f"))
    yield "22_deep_2000.tar", tar(file("/".join(["d"] * 2000) + "/f"))
    yield "23_newline_ctrl.tar", tar(file("a\nb\x1b[31m\x07"))
    yield "24_nul_pax.tar", tar(file("x", pax_headers={"path": "good\0/../../evil"}))
    yield "25_bad_utf8.tar", tar(file("bad\udcff\udcfe"), format=tarfile.GNU_FORMAT)
    yield "26_dup_entries.tar", tar(file("f", b"one"), file("f", b"two"))
    yield "27_nfc_nfd_wide.tar", tar(
        file("\u00e9", b"nfc"), file("e\u0301", b"nfd"), file("\uff0e\uff0e/x"), file("..\u2215x"))
    yield "28_file_then_dir.tar", tar(file("a", b"x"), file("a/b"))
    yield "29_root_dot.tar", tar(entry("./", DIR, mode=0o777, uid=1234), file("./ok"))
    yield "31_empty_name.tar", tar(file(""))
    yield "32_backslash.tar", tar(file("..\\..\\win"))
    yield "44_gnu_long_dotdot.tar", tar(
        file("a/" * 60 + "../" * 63 + "long_dotdot"), format=tarfile.GNU_FORMAT)
    yield "45_pax_path_dotdot.tar", tar(file("ok", pax_headers={"path": "../pax_dotdot"}))
    yield "46_pax_global_path.tar", tar(file("ok"), pax_headers={"path": "../pax_global"})
    yield "47_c1_control.tar", tar(file("a\u009b31m"))
    yield "48_drive.tar", tar(file("C:/windows"))
    yield "49_dir_dotdot.tar", tar(entry("../made_dir", DIR))


def links(victim):
    target = victim + "/target"
    yield "04_sym_then_write.tar", tar(entry("lnk", SYM, link=victim), file("lnk/via_sym"))
    yield "05_sym_rel_then_write.tar", tar(
        entry("lnk", SYM, link="../../victim"), file("lnk/via_symrel"))
    yield "06_sym_same_name_overwrite.tar", tar(entry("f", SYM, link=target), file("f"))
    yield "07_sym_only_abs.tar", tar(entry("leak", SYM, link="/etc/shadow"))
    yield "08_sym_only_dotdot.tar", tar(entry("leak", SYM, link="../../../../etc/shadow"))
    yield "09_hard_abs.tar", tar(entry("h", HARD, link=target))
    yield "10_hard_dotdot.tar", tar(entry("h", HARD, link="../../victim/target"))
    yield "11_hard_abs_then_overwrite.tar", tar(entry("h", HARD, link=target), file("h"))
    yield "12_hard_through_sym.tar", tar(
        entry("s", SYM, link=victim), entry("h", HARD, link="s/target"))
    yield "13_hard_to_sym_then_write.tar", tar(
        entry("s", SYM, link=target), entry("h", HARD, link="s"), file("h"))
    yield "30_dot_symlink.tar", tar(entry(".", SYM, link=victim), file("x"))
    yield "36_sym_chain.tar", tar(
        entry("a", SYM, link="."), entry("b", SYM, link="a/.."), entry("c", SYM, link="b/.."),
        file("c/victim_chain"))
    yield "37_dir_over_symlink.tar", tar(
        entry("d", SYM, link=victim), entry("d/", DIR, mode=0o777), file("d/x"))


def kinds_and_modes():
    capability = "\x01\0\0\x02\0\x20" + "\0" * 14
    acl = "user::rwx,user:1001:rwx,group::---,mask::rwx,other::rwx"
    yield "14_chardev.tar", tar(entry("null", tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3))
    yield "15_blockdev.tar", tar(entry("vda", tarfile.BLKTYPE, mode=0o666, devmajor=254))
    yield "16_fifo.tar", tar(entry("fifo", tarfile.FIFOTYPE))
    yield "17_setuid.tar", tar(file("suid", b"#!/bin/sh\nid\n", mode=0o4755, uname="root"))
    yield "18_setgid_dir.tar", tar(entry("d/", DIR, mode=0o2777), file("sticky", b"", mode=0o1777))
    yield "19_dirperm000_then_child.tar", tar(entry("d/", DIR, mode=0), file("d/f"))
    yield "34_huge_mtime.tar", tar(file("t", mtime=2**62))
    yield "35_uid_other.tar", tar(file("u", uid=1001, gid=42))
    yield "38_xattr.tar", tar(file("x", pax_headers={
        "SCHILY.xattr.user.jr": "1", "SCHILY.xattr.security.capability": capability}))
    yield "39_acl_flags.tar", tar(file("x", pax_headers={
        "SCHILY.fflags": "immutable", "SCHILY.acl.access": acl}))


def broken():
    whole = tar(file("f", b"one"), file("f2", b"two"))
    yield "40_truncated.tar", whole[:700]
    yield "41_garbage.tar", random.Random(41).randbytes(20000)
    yield "42_empty.tar", b""
    yield "43_size_lie.tar", patched_header(tar(file("f", b"x" * 10)), 124, b"77777777777\0")
    yield "80_no_end_mark.tar", whole.rstrip(b"\0").ljust(2048, b"\0")
    yield "81_zeros.tar", bytes(10240)
    yield "82_negative_size.tar", patched_header(tar(file("f")), 124, b"\xff" * 12)
    yield "83_bad_header_checksum.tar", whole[:1024] + whole[1024:].replace(b"f2", b"f3", 1)
    yield "84_mtree.tar", b"#mtree\nleak type=file contents=/etc/passwd\n"


def zips(victim):
    regular = 0o100644
    yield "50_zipslip.zip", zip_of(("../zip_out", P, regular))
    yield "51_zip_abs.zip", zip_of((victim + "/zip_abs", P, regular))
    yield "52_zip_symlink.zip", zip_of(("lnk", victim, 0o120777), ("lnk/zip_via", P, regular))
    yield "53_zip_symonly.zip", zip_of(("leak", "/etc/shadow", 0o120777))
    yield "54_zip_suid.zip", zip_of(("s", b"x", 0o104755))
    yield "55_zip_backslash.zip", zip_of(("..\\..\\zip_bs", P, regular))
    yield "56_zip_swells_100M.zip", zip_of(("b", bytes(100 << 20), regular))
    yield "57_zip_dup.zip", zip_of(("f", b"1", regular), ("f", b"2", regular))
    yield "58_zip_chardev.zip", zip_of(("c", b"", 0o020666))
    other = bytearray(zip_of(("AAAAAAAAAA", P, regular)))
    at = other.index(b"AAAAAAAAAA")
    other[at : at + 10] = b"../zz_diff"  # in the local header, not in the directory
    yield "59_zip_namediff.zip", bytes(other)
    secret = bytearray(zip_of(("e", P, regular)))
    secret[6] |= 1
    secret[secret.index(b"PK\1\2") + 8] |= 1
    yield "60_zip_encflag.zip", bytes(secret)
    plain = zip_of(("a", b"1", regular), ("b", b"2", regular))
    yield "61_zip_cut.zip", plain[:-30]
    yield "62_zip_lost_record.zip", plain.replace(b"PK\1\2", b"PK\1\3", 1)
    yield "63_zip_one_body_500_names.zip", one_body(500)
    yield "64_zip_bad_crc.zip", zip_with_bad_crc()
    yield "65_zip_swells_600M.zip", zip_of(("b", bytes(600 << 20), regular))


def zip_with_bad_crc():
    b = bytearray(zip_of(("a", b"some text", 0o100644)))
    b[14] ^= 1
    b[b.index(b"PK\1\2") + 16] ^= 1
    return bytes(b)


def one_body(count):
    """A directory of many names for the same bytes: the overlapping kind of bomb."""
    one = zip_of(("0000", bytes(1 << 20), 0o100644))
    begin = one.index(b"PK\1\2")
    record = one[begin : one.index(b"PK\5\6")]
    records = b"".join(record.replace(b"0000", b"%04d" % i) for i in range(count))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(records), begin, 0)
    return one[:begin] + records + end


def bombs():
    yield "33_huge_sparse.tar", sparse(1 << 43)
    yield "85_huge_sparse_0.1.tar", sparse(1 << 43, "0.1")
    yield "70_many_files.tar", tar(*(file("m/%06d" % i, b"") for i in range(12000)))
    layered = tar(file("f"))
    for i in range(34):
        layered = gzip.compress(layered, mtime=0)
        if i + 1 in (2, 24, 34):
            yield f"7{ {2: 0, 24: 1, 34: 2}[i + 1] }_gz{i + 1}.tar.gz", layered
    yield "74_xz_of_gz.tar.xz", lzma.compress(gzip.compress(tar(file("f")), mtime=0))
    yield "73_bomb_2G.tar.gz", gzip_of_zeros(2048)
    yield "75_padding_bomb.tar.gz", gzip_of_zeros(0, behind=1024)
    yield "76_gz_bad_crc.tar.gz", flipped(gzip.compress(tar(file("f")), mtime=0), -6)


def flipped(archive, at):
    b = bytearray(archive)
    b[at] ^= 1
    return bytes(b)


def gzip_of_zeros(size, behind=0):
    """A tar with a file of `size` MiB of zeros, and `behind` MiB of them behind its end."""
    info = tarfile.TarInfo("zeros")
    info.size = size << 20
    parts = [info.tobuf(), *[bytes(1 << 20)] * size, bytes(1024), *[bytes(1 << 20)] * behind]
    deflate = zlib.compressobj(9, wbits=-15)
    squeezed = {}  # a part that begins afresh (full flush) is the same bytes wherever it stands
    out, crc = [b"\x1f\x8b\x08\0\0\0\0\0\2\xff"], 0
    for part in parts:
        if part not in squeezed:
            squeezed[part] = deflate.compress(part) + deflate.flush(zlib.Z_FULL_FLUSH)
        out.append(squeezed[part])
        crc = zlib.crc32(part, crc)
    total = sum(map(len, parts))
    return b"".join(out) + deflate.flush() + struct.pack("<2L", crc, total & 0xFFFFFFFF)


def hostile(victim):
    made = {}
    for group in (names(victim), links(victim), kinds_and_modes(), broken(), zips(victim), bombs()):
        made.update(group)
    return made


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True, capture_output=True).stdout


COMPRESSIONS = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".xz": lzma.compress,
    ".lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    ".zst": zstd,
    ".bz2": bz2.compress,
}


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for file_name, content in hostile(sys.argv[2].rstrip("/")).items():
        (out / file_name).write_bytes(content)
        if file_name.endswith(".tar"):
            for ending, compress in COMPRESSIONS.items():
                (out / (file_name + ending)).write_bytes(compress(content))
