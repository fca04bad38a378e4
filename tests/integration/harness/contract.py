"""The HTTP contract: every answer a test sees is held against openapi.json.

An answer passes if its path and method are described, its status is described there, and its content
type, headers and JSON body are what the description says. What HTTP itself rules for every path (405 with
Allow, 404 outside the API, HEAD as GET without a body) is checked by rule, as the description's own text says.
"""
import json
import re

from jsonschema import Draft202012Validator, FormatChecker, RefResolver

FORMATS = FormatChecker(formats=())
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# Refused before routing, as info.description says.
BEFORE_ROUTING = {400, 408, 414, 417, 429, 431, 505}


@FORMATS.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or bool(RFC3339.fullmatch(value))


class Violation(AssertionError):
    """An answer that openapi.json does not describe."""


class Contract:
    def __init__(self, document):
        self.document = document
        self.resolver = RefResolver.from_schema(document)
        self.templates = sorted(
            ((re.compile("^" + re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path) for path in document["paths"]),
            key=lambda pair: pair[1].count("{"))

    def resolve(self, node):
        while "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def template(self, path):
        return next((name for pattern, name in self.templates if pattern.match(path)), None)

    def operations(self):
        """(path, method, operation) of all that is described."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method != "parameters":
                    yield path, method.upper(), operation

    def check(self, method, path, status, headers, body):
        """Throws Violation; `path` is without the query, `body` the whole body as bytes."""
        try:
            self._check(method.upper(), path, status, headers, body)
        except Violation as wrong:
            raise Violation(f"{method} {path} answered {status}: {wrong}\n{dict(headers)}\n{body[:600]!r}") from None

    def _check(self, method, path, status, headers, body):
        template = self.template(path)
        item = self.document["paths"].get(template, {})
        operation = item.get(method.lower()) or (item.get("get") if method == "HEAD" else None)
        if not operation or (status in BEFORE_ROUTING and str(status) not in operation["responses"]):
            return self._by_rule(method, item, status, headers, body)
        response = operation["responses"].get(str(status))
        if response is None:
            raise Violation(f"openapi.json knows only {sorted(operation['responses'])} here")
        response = self.resolve(response)
        self._headers(response.get("headers", {}), headers)
        if method == "HEAD":
            return self._want(not body, "a HEAD answer has a body")
        content = response.get("content")
        if not content:
            return self._want(not body, "a body where none is described")
        return self._content(content, headers, body)

    def _by_rule(self, method, item, status, headers, body):
        allowed = {401, 403, 429} | BEFORE_ROUTING | ({405} if item else {404, 405, 501})
        self._want(status in allowed, f"not one of {sorted(allowed)}, as HTTP has it here")
        if status == 405 and item:
            allow = {name.strip() for name in headers.get("Allow", "").split(",")}
            wanted = {name.upper() for name in item if name != "parameters"}
            self._want(wanted <= allow, f"Allow is {sorted(allow)}, want {sorted(wanted)} in it")
        if method != "HEAD":
            problem = self.resolve(self.document["components"]["responses"]["BadRequest"])
            self._content(problem["content"], headers, body)

    def _headers(self, described, headers):
        for name, header in described.items():
            header = self.resolve(header)
            value = headers.get(name)
            if value is None:
                self._want(not header.get("required"), f"no header {name}")
                continue
            schema = header["schema"]
            self._validate(int(value) if schema.get("type") == "integer" and value.isdigit() else value, schema)

    def _content(self, content, headers, body):
        kind = headers.get("Content-Type", "").split(";")[0].strip()
        self._want(kind in content or "application/octet-stream" in content, f"Content-Type is {kind!r}, want {list(content)}")
        schema = content.get(kind, {}).get("schema", {})
        if kind.endswith("json") and schema:  # no schema: bytes that a job wrote
            try:
                value = json.loads(body)
            except ValueError as wrong:
                raise Violation(f"the body is no JSON: {wrong}") from None
            self._validate(value, schema)

    def _validate(self, value, schema):
        validator = Draft202012Validator(schema, resolver=self.resolver, format_checker=FORMATS)
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]
        self._want(not errors, "; ".join(errors))

    @staticmethod
    def _want(condition, text):
        if not condition:
            raise Violation(text)
