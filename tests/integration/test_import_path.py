"""Datasets from files that the host has: below JR_B2_MOUNT or JR_IMPORT_ROOTS, and nowhere else."""
import os

import pytest
from harness import datasets


@pytest.fixture
def mount(site):
    return site.b2_mount


@pytest.fixture
def folder(site):
    return site.import_root


def import_path(client, path):
    return client.post("/datasets/import_path", data={"src_path": str(path)})


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)
    return path


def test_a_file_below_the_mount_is_imported_by_its_relative_path(client, site, mount):
    content = datasets.fresh(5000)
    put(mount, "sets/one.bin", content)
    answer = import_path(client, "sets/one.bin").json()
    sha = datasets.sha256(content)
    assert answer == {"sha256": sha, "stored_path": f"datasets/{sha}/one.bin", "bytes": 5000}
    assert (site.root / answer["stored_path"]).read_bytes() == content
    assert client.get(f"/datasets/exists/{sha}").json()["exists"] is True


def test_an_archive_is_extracted(client, site, folder):
    content = datasets.tar({"a/b": b"12345", "fresh": datasets.fresh()})
    path = put(folder, "two.tar", content)
    answer = import_path(client, path).json()
    assert answer["stored_path"] == f"datasets/{datasets.sha256(content)}/" and answer["bytes"] == 37
    assert (site.root / answer["stored_path"] / "a/b").read_bytes() == b"12345"


@pytest.mark.parametrize("send", [lambda c, p: c.post("/datasets/import_path", json={"src_path": p}),
                                  lambda c, p: c.post("/datasets/import_path", files={"src_path": (None, p)}),
                                  lambda c, p: c.post("/datasets/import_path", data={"src_path": p})])
def test_the_field_may_come_in_any_kind_of_body(client, folder, send):
    assert send(client, str(put(folder, "any.bin", datasets.fresh()))).status_code == 200


def test_the_same_file_again_answers_the_same(client, folder):
    path = put(folder, "again.bin", datasets.fresh())
    assert import_path(client, path).json() == import_path(client, path).json()


def test_a_missing_file_is_a_404(client, mount, folder):
    for path in ("nope.bin", folder / "nope.bin", "sets/nope/nope"):
        response = import_path(client, path)
        assert response.status_code == 404 and response.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("path", ["../outside.bin", "sets/../../outside.bin", "/etc/passwd", "/etc/shadow", "//etc/passwd", "/proc/self/environ",
                                  "..", "/", ".", "", "sets/./../../outside.bin", "/dev/zero", "~/x", "\x00", "a\x00b", "x" * 5000, "file:///etc/passwd"])
def test_a_path_that_climbs_out_or_is_none_is_refused(client, mount, path):
    put(mount.parent, "outside.bin", b"outside")
    response = import_path(client, path)
    assert response.status_code in (400, 404), response.text
    if path.startswith((".", "/")) and path not in (".", "/"):
        assert response.status_code == 400, response.text
    assert "root:" not in response.text


def test_climbing_out_of_an_import_root_is_refused(client, folder):
    put(folder.parent, "outside.bin", b"outside")
    assert import_path(client, f"{folder}/../outside.bin").status_code == 400
    assert import_path(client, f"{folder}x/any").status_code == 400


def test_links_are_not_followed(client, mount, folder):
    secret = put(mount.parent, "secret.bin", b"secret")
    for base in (mount, folder):
        for name, target in (("link_out", secret), ("link_in", base / "real.bin"), ("link_folder", mount.parent)):
            (base / name).unlink(missing_ok=True)
            (base / name).symlink_to(target)
        put(base, "real.bin", b"real")
        prefix = "" if base == mount else f"{base}/"
        for name in ("link_out", "link_in", "link_folder/secret.bin", "link_folder"):
            assert import_path(client, prefix + name).status_code in (400, 404), name


def test_folders_fifos_and_devices_are_refused_at_once(client, mount):
    os.makedirs(mount / "folder", exist_ok=True)
    if not (mount / "fifo").exists():
        os.mkfifo(mount / "fifo", 0o644)
    for name in ("folder", "fifo", "folder/"):
        assert client.post("/datasets/import_path", data={"src_path": name}, timeout=5).status_code in (400, 404)


def test_a_refused_archive_is_a_422(client, folder):
    path = put(folder, "bad.tar", datasets.tar({"../x": b"x"}))
    assert import_path(client, path).status_code == 422


def test_the_field_is_needed_once(client):
    assert client.post("/datasets/import_path", data={}).status_code in (400, 415)
    assert client.post("/datasets/import_path", json={}).status_code == 400
    assert client.post("/datasets/import_path", json={"src_path": ["a"]}).status_code == 400
    assert client.post("/datasets/import_path", data=[("src_path", "a"), ("src_path", "b")]).status_code == 400
