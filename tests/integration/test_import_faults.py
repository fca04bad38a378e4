"""A bucket that cuts, stalls, lies and changes while it is read: the import is whole, or fails in words and leaves nothing."""
import gzip
import threading
import time

import pytest
from harness import datasets, s3
from harness.imports import MIB, imported, nothing_left, refused


def first_times(count, what):
    """A fault of the first `count` GETs of objects."""
    left = [count]
    lock = threading.Lock()

    def fault(handler, body):
        with lock:
            if handler.command != "GET" or "list-type" in handler.path or not left[0]:
                return False
            left[0] -= 1
        what(handler)
        return True
    return fault


def busy(handler):
    handler.error(503, "SlowDown")


def internal(handler):
    handler.error(500, "InternalError")


def cut(handler):
    status, headers, body = handler.upstream()
    handler.send_response_only(status)
    for name in ("ETag", "Content-Range", "Content-Length"):
        handler.send_header(name, headers[name])
    handler.end_headers()
    handler.wfile.write(body[:len(body) // 2])
    handler.wfile.flush()
    handler.close_connection = True


def stall(handler):
    status, headers, body = handler.upstream()
    handler.send_response_only(status)
    for name in ("ETag", "Content-Range", "Content-Length"):
        handler.send_header(name, headers[name])
    handler.end_headers()
    handler.wfile.write(body[:1000])
    handler.wfile.flush()
    time.sleep(12)  # JR_S3_STALL_S is 5
    handler.close_connection = True


def other_range(handler):
    _, headers, body = handler.upstream()
    handler.answer(206, {"ETag": headers["ETag"], "Content-Range": "bytes 0-1/2"}, body)


def short(handler):
    _, headers, body = handler.upstream()
    handler.answer(206, {"ETag": headers["ETag"], "Content-Range": headers["Content-Range"]}, body[:-1])


def hang_up(handler):
    handler.close_connection = True
    handler.connection.close()


@pytest.mark.parametrize("what", [busy, internal, cut, stall, other_range, short, hang_up])
def test_a_fault_that_passes_costs_time_and_no_byte(api, bucket, what):
    content = bucket.put(f"fault-{what.__name__}.bin", datasets.fresh(18 * MIB))
    bucket.proxy.fault = first_times(4, what)
    assert imported(api, key=f"fault-{what.__name__}.bin")["dataset"]["sha256"] == datasets.sha256(content)


def test_an_archive_survives_the_same(api, bucket):
    content = bucket.put("fault.tar.gz", gzip.compress(datasets.tar({"x": datasets.fresh(18 * MIB)}), 1))
    bucket.proxy.fault = first_times(3, cut)
    assert imported(api, key="fault.tar.gz")["dataset"]["sha256"] == datasets.sha256(content)


def test_a_service_that_stays_broken_is_given_up_in_words(api, site, remote, bucket):
    bucket.put("broken.bin", datasets.fresh())
    bucket.proxy.fault = lambda handler, _: handler.error(503, "SlowDown") or True
    assert "SlowDown" in refused(api, 503, prefix="broken")
    nothing_left(site, remote)


def test_an_endless_body_ends_at_what_was_asked_for(api, site, remote, bucket):
    bucket.put("endless.bin", datasets.fresh())

    def endless(handler, _):
        if handler.command != "GET":
            return False
        handler.send_response_only(206)
        handler.end_headers()
        handler.close_connection = True
        try:
            while True:
                handler.wfile.write(bytes(65536))
        except OSError:
            return True
    bucket.proxy.fault = endless
    refused(api, 413, key="endless.bin")
    nothing_left(site, remote)


def test_bytes_that_are_not_the_objects_are_noticed(api, site, remote, bucket):
    bucket.put("flipped.bin", datasets.fresh(9 * MIB))

    def flips(handler, _):
        if handler.command != "GET":
            return False
        status, headers, body = handler.upstream()
        handler.answer(status, {"ETag": headers["ETag"], "Content-Range": headers["Content-Range"]}, b"\0\0\0\0" + body[4:])
        return True
    bucket.proxy.fault = flips
    assert "ETag" in refused(api, 422, key="flipped.bin")
    nothing_left(site, remote)


def test_an_etag_that_is_always_another_one_is_given_up(api, bucket):
    bucket.put("liar.bin", datasets.fresh())

    def lies(handler, _):
        if handler.command != "GET":
            return False
        _, headers, body = handler.upstream()
        handler.answer(206, {"ETag": '"another"', "Content-Range": headers["Content-Range"]}, body)
        return True
    bucket.proxy.fault = lies
    assert "changed" in refused(api, 409, key="liar.bin")


@pytest.mark.parametrize("checks", [True, False], ids=["412", "by its ETag alone"])
def test_an_object_that_changes_meanwhile_is_read_from_its_beginning(api, bucket, checks):
    bucket.put("changing.bin", datasets.fresh(30 * MIB))
    bucket.proxy.checks_if_match = checks
    new = datasets.fresh(20 * MIB)

    def change(handler):
        bucket.put("changing.bin", new)
        handler.error(503, "SlowDown")
    bucket.proxy.fault = first_times(1, change)
    assert imported(api, key="changing.bin")["dataset"]["sha256"] == datasets.sha256(new)


def test_wrong_keys_are_told_and_not_tried_forever(api, bucket):
    bucket.put("locked.bin", datasets.fresh())
    bucket.proxy.keys = {s3.KEY_ID: "another"}
    try:
        detail = refused(api, 403, key="locked.bin")
        assert bucket.proxy.count("HEAD") == 1 and "keys" in detail
        assert "SignatureDoesNotMatch" in refused(api, 403, prefix="locked")
    finally:
        bucket.proxy.keys = {s3.KEY_ID: s3.KEY}
