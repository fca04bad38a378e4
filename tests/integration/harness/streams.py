"""A client of server-sent events, which reads them as they come and knows where it is."""
import collections
import json

import requests
import urllib3

# What reading a stream raises when it is cut.
Cut = (requests.RequestException, urllib3.exceptions.HTTPError)
Event = collections.namedtuple("Event", "id type data")


class Stream:
    """`with Stream(client, path, after) as events: for event in events:` each an Event; comments are skipped.

    `last` is the id to go on with; reading ends with the stream or raises Cut."""

    def __init__(self, client, path, last=None, params=None, timeout=60):
        headers = {"Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.last, self.comments = last, 0
        self.response = client.get(path, headers=headers, params=params, stream=True, timeout=timeout)
        if self.response.status_code == 200:
            assert self.response.headers["Content-Type"] == "text/event-stream", self.response.headers
            assert self.response.headers["X-Accel-Buffering"] == "no" and self.response.headers["Cache-Control"] == "no-store"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()

    def __iter__(self):
        fields, data = {}, []
        for line in self.lines():
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                data.append(value) if name == "data" else fields.__setitem__(name, value)
            else:
                self.last = int(fields["id"]) if "id" in fields else self.last
                if data:
                    yield Event(self.last, fields.get("event", "message"), json.loads("\n".join(data)))
                fields, data = {}, []

    def lines(self):
        rest = b""
        for chunk in self.response.raw.stream(65536, decode_content=False):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode()
