"""A real S3 server (npm's s3rver) and a proxy before it that checks signatures and makes trouble on request.

s3rver does not check Signature Version 4; the proxy does, by its own reading of AWS's description, and it knows what
s3rver lacks: If-Match, AbortMultipartUpload and ListMultipartUploads.
"""
import hashlib
import hmac
import http.client
import http.server
import os
import pathlib
import re
import subprocess
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

import requests

from . import ports

KEY_ID, KEY, REGION = "S3RVER", "S3RVER", "eu-test-1"
NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def available():
    return os.environ.get("JR_S3RVER", "")


class S3rver:
    """The server itself: objects are put and read past the proxy."""

    def __init__(self, folder, buckets):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = ports.free(1)[0]
        configs = [word for name in buckets for word in ("--configure-bucket", name)]
        # Its continuation tokens need a cipher that OpenSSL 3 calls legacy.
        self.process = subprocess.Popen(
            ["node", "--openssl-legacy-provider", available(), "--silent", "--no-vhost-buckets", "--allow-mismatched-signatures", "-a", "127.0.0.1",
             "-p", str(self.port), "-d", str(self.folder), *configs], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while True:
            try:
                requests.get(self.url(), timeout=2)
                return
            except requests.RequestException:
                assert time.monotonic() < end and self.process.poll() is None, "s3rver does not start"
                time.sleep(0.05)

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}/{path}"

    def _headers(self):
        return {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY_ID}/x/x/s3/aws4_request,SignedHeaders=host,Signature=0",
                "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())}

    def put(self, bucket, key, content):
        answer = requests.put(self.url(f"{bucket}/{urllib.parse.quote(key)}"), data=content, headers=self._headers(), timeout=60)
        assert answer.status_code == 200, answer.text

    def get(self, bucket, key):
        answer = requests.get(self.url(f"{bucket}/{urllib.parse.quote(key)}"), headers=self._headers(), timeout=60)
        return answer.content if answer.status_code == 200 else None

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def _signed(request, key):
    """Whether the request's Authorization is what AWS's description makes of the rest of it."""
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
                         request.headers.get("Authorization", ""))
    if not match:
        return False
    day, region, names, signature = match.group(2, 3, 4, 5)
    path, _, query = request.path.partition("?")
    pairs = sorted(part.partition("=")[::2] for part in query.split("&")) if query else []
    canonical = "\n".join([
        request.command, path, "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{' '.join(request.headers[name].split())}" for name in names.split(";")), "", names,
        request.headers["x-amz-content-sha256"]])
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    made = ("AWS4" + key).encode()
    for part in (day, region, "s3", "aws4_request", text):
        made = hmac.new(made, part.encode(), hashlib.sha256).digest()
    needed = {"host", "x-amz-date", "x-amz-content-sha256"}
    return needed <= set(names.split(";")) and region == REGION and hmac.compare_digest(made.hex(), signature)


class Proxy(http.server.ThreadingHTTPServer):
    """One request, one answer of the server's, but for what `fault` and `slow` make of it."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, behind):
        self.behind = behind
        self.keys = {KEY_ID: KEY}
        self.open, self.changed = 0, threading.Condition()  # connections
        self.uploads = {}  # in parts, that have not ended: {id: (path, when begun)}
        self.calm()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def calm(self):
        """No faults, nothing seen."""
        self.fault = None       # called as fault(handler, body) before the request goes on; True: it was dealt with
        self.slow = 0           # bytes a second of bodies, 0: no limit
        self.seen = []          # (method, path with query, headers)
        self.unsigned = 0
        self.checks_if_match = True

    def deserted(self):
        """When the client has been killed: once all that it had still sent is heard, forgets it and is calm."""
        with self.changed:
            assert self.changed.wait_for(lambda: not self.open, 30), f"{self.open} connections are open"
        self.calm()

    def process_request(self, request, client_address):
        with self.changed:
            self.open += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.changed:
            self.open -= 1
            self.changed.notify_all()

    def count(self, method, part=""):
        return sum(1 for seen, path, _ in self.seen if seen == method and part in path)

    def list_uploads(self, bucket, prefix):
        """ListMultipartUploads, as AWS describes its answer."""
        uploads = [(urllib.parse.unquote(path[len(bucket) + 1:]), name, begun) for name, (path, begun) in self.uploads.items()
                   if path.startswith(bucket + "/")]
        return (f'<?xml version="1.0" encoding="UTF-8"?><ListMultipartUploadsResult {NS}><Bucket>{bucket[1:]}</Bucket><KeyMarker/>'
                f"<UploadIdMarker/><Prefix>{escape(prefix)}</Prefix><MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>" + "".join(
                    f"<Upload><Key>{escape(key)}</Key><UploadId>{name}</UploadId><StorageClass>STANDARD</StorageClass>"
                    f"<Initiated>{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', begun)}</Initiated></Upload>"
                    for key, name, begun in sorted(uploads) if key.startswith(prefix)) + "</ListMultipartUploadsResult>").encode()

    def stop(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # clients that hang up


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def error(self, status, code, headers=()):
        self.answer(status, {"Content-Type": "application/xml", **dict(headers)},
                    f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>m</Message><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId></Error>'.encode())

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.send_slowly(body)

    def send_slowly(self, body):
        rate = self.server.slow
        step = max(rate // 20, 1) if rate else len(body) or 1
        for at in range(0, len(body), step):
            self.wfile.write(body[at:at + step])
            if rate:
                time.sleep(0.05)

    def upstream(self, body=b""):
        """The status, headers and body of s3rver's answer, which only knows keys of its own; which uploads are open is remembered."""
        passed = {name: value for name, value in self.headers.items()
                  if name.lower() not in ("host", "connection", "content-length", "accept", "authorization") and not name.startswith("x-amz-")}
        passed.update(self.server.behind._headers())
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind.port, timeout=60)
        try:
            connection.request(self.command, self.path, body or None, {**passed, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            content = answer.read()
            path, _, query = self.path.partition("?")
            if begun := re.search(rb"<UploadId>([^<]+)</UploadId>", content):
                self.server.uploads[begun.group(1).decode()] = path, time.gmtime()
            if self.command == "POST" and query.startswith("uploadId=") and answer.status == 200:
                self.server.uploads.pop(urllib.parse.unquote(query[len("uploadId="):]))
            return answer.status, dict(answer.getheaders()), content
        finally:
            connection.close()

    def handle_any(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.seen.append((self.command, self.path, dict(self.headers)))
        if "Authorization" in self.headers:
            key_id = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
            if key_id not in server.keys:
                return self.error(403, "InvalidAccessKeyId")
            if not _signed(self, server.keys[key_id]):
                return self.error(403, "SignatureDoesNotMatch")
            if self.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
                return self.error(400, "XAmzContentSHA256Mismatch")
        else:
            server.unsigned += 1
        if server.fault and server.fault(self, body):
            return None
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if self.command == "GET" and "uploads" in asked:
            return self.answer(200, {"Content-Type": "application/xml"}, server.list_uploads(path, asked.get("prefix", "")))
        upload = asked.get("uploadId")
        if upload and upload not in server.uploads:
            return self.error(404, "NoSuchUpload")
        if self.command == "DELETE" and upload:
            del server.uploads[upload]
            return self.answer(204, {}, b"")
        status, headers, content = self.upstream(body)
        etag = headers.get("ETag") or headers.get("etag") or headers.get("Etag")
        wanted = self.headers.get("If-Match")
        if wanted and etag and wanted != etag and server.checks_if_match:
            return self.error(412, "PreconditionFailed")
        kept = {name: value for name, value in headers.items()
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date")}
        if self.command == "HEAD":
            self.send_response_only(status)
            for name, value in {**kept, "Content-Length": headers.get("Content-Length", "0")}.items():
                self.send_header(name, value)
            return self.end_headers()
        return self.answer(status, kept, content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any


class Bucket:
    """A server, its proxy, and the environment that makes a jobrunner use them."""

    def __init__(self, folder):
        self.store = S3rver(pathlib.Path(folder) / "s3", ["data", "more"])
        self.proxy = Proxy(self.store)

    def environment(self, **more):
        return {"JR_B2_ENDPOINT": self.proxy.endpoint, "JR_B2_BUCKET": "data", "JR_B2_REGION": REGION, "JR_B2_KEY_ID": KEY_ID,
                "JR_B2_APP_KEY": KEY, "JR_ALLOWED_PRIVATE_HOSTS": f"127.0.0.1:{self.proxy.port}", "JR_S3_STALL_S": "5",
                "JR_S3_RETRY_S": "20", **more}

    def put(self, key, content, bucket="data"):
        self.store.put(bucket, key, content)
        return content

    def get(self, key, bucket="data"):
        return self.store.get(bucket, key)

    def stop(self):
        self.proxy.stop()
        self.store.stop()
