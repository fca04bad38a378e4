"""Raw HTTP/1 inputs that probe framing. Where a second request hides behind the first, it asks for /smuggled."""
import os

HOST = b"Host: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


def inputs(target=b"/", head=b""):
    """{name: bytes}; `head` are more header lines of the first request, such as the token."""
    post = b"POST " + target + b" HTTP/1.1\r\n" + HOST + head
    get = b"GET " + target + b" HTTP/1.1\r\n"
    return {
        "01 length and chunked": post + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + END + SMUGGLED,
        "02 chunked and length": post + CHUNKED + b"Content-Length: 5\r\n\r\n" + END + SMUGGLED,
        "03 identity and length": post + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc" + SMUGGLED,
        "04 gzip alone": post + b"Transfer-Encoding: gzip\r\n\r\nabc" + SMUGGLED,
        "05 chunked, gzip": post + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + END + SMUGGLED,
        "06 xchunked and length": post + b"Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc" + SMUGGLED,
        "07 chunked in HTTP/1.0": b"POST " + target + b" HTTP/1.0\r\n" + HOST + head + CHUNKED + b"\r\n" + END + SMUGGLED,
        "08 two lengths that differ": post + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        "09 two equal lengths": post + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "10 length with plus": post + b"Content-Length: +3\r\n\r\nabc",
        "11 negative length": post + b"Content-Length: -3\r\n\r\nabc",
        "12 length in hex": post + b"Content-Length: 0x3\r\n\r\nabc",
        "13 length overflows": post + b"Content-Length: 18446744073709551616\r\n\r\nabc",
        "14 blank before the colon of the length": post + b"Content-Length : 3\r\n\r\nabc",
        "15 blank before the colon of the encoding": post + b"Transfer-Encoding : chunked\r\n\r\n" + END,
        "16 tab before chunked, and no end": post + b"Transfer-Encoding:\tchunked\r\n\r\n5\r\nabc",
        "17 vertical tab before chunked": post + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 3\r\n\r\nabc",
        "18 bare line feeds": b"GET " + target + b" HTTP/1.1\nHost: x\n\n",
        "19 bare carriage return": get + b"Host: x\rX: y\r\n\r\n",
        "20 folded header": get + HOST + head + b"X-A: 1\r\n 2\r\n\r\n",
        "21 folded encoding": post + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + END + SMUGGLED,
        "22 NUL in a value": get + HOST + head + b"X: a\0b\r\n\r\n",
        "23 NUL in the target": b"GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
        "24 huge chunk": post + CHUNKED + b"\r\nffffffffffffffff\r\nabc",
        "25 chunk size overflows": post + CHUNKED + b"\r\n10000000000000003\r\nabc\r\n" + END,
        "26 negative chunk": post + CHUNKED + b"\r\n-1\r\nabc",
        "27 line feed in a chunk extension": post + CHUNKED + b"\r\n3;a\nb\r\nabc\r\n" + END,
        "28 quoted line end in a chunk extension": post + CHUNKED + b'\r\n3;a="\r\nabc\r\n' + END,
        "29 chunk extension of 100 KB": post + CHUNKED + b"\r\n3;" + b"a" * 100_000 + b"\r\nabc\r\n" + END,
        "30 length in the trailer": post + CHUNKED + b"\r\n3\r\nabc\r\n0\r\nContent-Length: 50\r\n\r\n" + SMUGGLED,
        "31 encoding in the trailer": post + CHUNKED + b"\r\n3\r\nabc\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n" + SMUGGLED,
        "32 token in the trailer": post + CHUNKED + b"\r\n3\r\nabc\r\n0\r\nAuthorization: Bearer t\r\n\r\n" + SMUGGLED,
        "33 header of 9 KB": get + HOST + head + b"X: " + b"a" * 9000 + b"\r\n\r\n",
        "34 seven hundred headers": get + HOST + head + b"".join(b"a%d: b\r\n" % number for number in range(700)) + b"\r\n",
        "35 long target": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "36 HTTP/0.9": b"GET /\r\n",
        "37 HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "38 TLS hello": bytes.fromhex("16030100a5010000a10303") + os.urandom(100),
        "39 absolute form to another host": b"GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "40 two hosts": get + b"Host: x\r\nHost: y\r\n" + head + b"\r\n",
        "41 no host": get + head + b"\r\n",
        "42 empty lines first": b"\r\n\r\n" + get + HOST + head + b"\r\n",
        "43 chunked, then identity": post + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + END + SMUGGLED,
        "44 identity, then chunked": post + b"Transfer-Encoding: identity\r\n" + CHUNKED + b"\r\n" + END + SMUGGLED,
        "45 GET with a request as its body": get + HOST + head + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
        "46 unknown expectation": post + b"Expect: 200-foo\r\nContent-Length: 3\r\n\r\nabc",
        "47 chunks with bare line feeds": post + CHUNKED + b"\r\n3\nabc\n0\n\n",
        "48 blank before a chunk size": post + CHUNKED + b"\r\n 3\r\nabc\r\n" + END,
        "49 HTTP/1.2": b"GET " + target + b" HTTP/1.2\r\nHost: x\r\n\r\n",
        "50 body that does not come": post + b"Content-Length: 2000000\r\n\r\nabc",
        "51 CONNECT": b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n",
        "52 asterisk": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "53 chunk longer than said": post + CHUNKED + b"\r\n3\r\nabcdef\r\n" + END + SMUGGLED,
    }


# These are answered with 400 and the connection is closed (RFC 9112, sections 6 and 7).
REFUSED = {"03", "04", "05", "06", "07", "08", "10", "11", "12", "13", "14", "15", "20", "21", "40", "41", "43", "44"}
# Refused for whatever comes first (a token, say), before their bodies are read; nothing after them is answered.
LAST = {"30", "31", "32"}
