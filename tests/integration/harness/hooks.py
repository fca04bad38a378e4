"""A receiver of webhooks on loopback, which checks each message as Standard Webhooks has it and answers as a test likes."""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import threading
import time

from . import datasets

Message = collections.namedtuple("Message", "id job_id seq type data signatures at path")


def signed(secret, headers, body):
    """The signatures that the message has, and whether that of the secret is among them."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    wanted = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    given = headers["webhook-signature"].split(" ")
    return given, any(hmac.compare_digest(one, wanted) for one in given)


class Receiver(http.server.ThreadingHTTPServer):
    """`seen` holds every message that came, `taken` those that were answered with a 2xx. A test gives `answer`: it is called with
    the message and says a status, or (status, headers); None is 204. It may sleep."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address="127.0.0.1"):
        self.secret, self.answer, self.wrong = None, None, []
        self.seen, self.taken, self.lock = [], [], threading.Lock()
        super().__init__((address, 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def seqs(self, job_id):
        """Of the events of a job that were taken, in the order they came."""
        with self.lock:
            return [message.seq for message in self.taken if message.job_id == job_id]

    def tries(self, job_id):
        with self.lock:
            return [message for message in self.seen if message.job_id == job_id]

    def events(self, job_id):
        """What was taken, each event once."""
        with self.lock:
            return list({message.id: message.data for message in self.taken if message.job_id == job_id}.values())

    def stop(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # a server that was killed


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_POST(self):
        at, server = time.time(), self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = json.loads(body)
        given, good = signed(server.secret, self.headers, body)
        data = content["data"]
        message = Message(self.headers["webhook-id"], data["job_id"], data["seq"], content["type"], data, given, at, self.path)
        right = (good and abs(int(self.headers["webhook-timestamp"]) - at) < 5 and self.headers["Content-Type"] == "application/json"
                 and content["type"] == "job." + data["type"] and content["timestamp"] == data["at"])
        with server.lock:
            server.seen.append(message)
            if not right:
                server.wrong.append((dict(self.headers), body))
        said = server.answer(message) if server.answer else None
        status, headers = said if isinstance(said, tuple) else (said or 204, {})
        if 200 <= status < 300:
            with server.lock:
                server.taken.append(message)
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()


SETTINGS = {"JR_ALLOWED_PRIVATE_HOSTS": "127.0.0.1", "JR_WEBHOOK_TIMEOUT_S": "3", "JR_WEBHOOK_SENDERS": "4"}


class Place:
    """A server that may send to 127.0.0.1, with a dataset of tools."""

    def __init__(self, site, name, **settings):
        self.site, self.server = site, site.another_server(name, **{**SETTINGS, **settings})
        self.server.start()
        self.tools = self.client().upload("toolbox.tar.gz", datasets.toolbox())["sha256"]
        self.secret = self.client().get("/webhooks/secret").json()["secret"]

    def client(self):
        return self.site.client(self.server)

    def submit(self, url, seconds=0, **fields):
        text = json.dumps({"script": "nap.py", "seconds": seconds})
        return self.client().submit(self.tools, "pytorch_infer", params_json=text, webhook_url=url, **fields)

    def events(self, job_id):
        return self.client().get(f"/jobs/{job_id}/events", params={"after": 0, "limit": 1000}).json()["events"]

    def webhook(self, job_id):
        return self.client().job(job_id)["webhook"]

    def wait(self, job_id, state="delivered", seconds=60):
        """Until the job is over and its webhook is in that state; all of the job's events."""
        client = self.client()
        client.wait(job_id, state=None)
        client.wait_indexed(job_id)
        self.site.wait_until(lambda: self.webhook(job_id)["state"] == state, seconds, f"the webhook is {state}: {self.webhook(job_id)}")
        return self.events(job_id)
