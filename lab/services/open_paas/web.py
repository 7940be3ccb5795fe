"""As much of a web framework as the stand-ins need: requests, responses, routes and the error pages."""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.client import responses
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from . import pages

HTML = "text/html; charset=utf-8"
JSON = "application/json"


class Request:
    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO") or "/"
        self.query = _first_values(environ.get("QUERY_STRING", ""))
        self.host: str = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        self.cookies = {name: morsel.value for name, morsel in _cookies(environ).items()}
        self.language = ""
        self.posted: dict[str, str] = {}

    def header(self, name: str) -> str:
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    def form(self) -> dict[str, str]:
        length = int(self.environ.get("CONTENT_LENGTH") or 0)
        return _first_values(self.environ["wsgi.input"].read(length).decode("utf-8", "replace"))

    def absolute(self, path: str) -> str:
        return f"{self.header('X-Scheme') or self.environ['wsgi.url_scheme']}://{self.host}{path}"


@dataclass
class Response:
    body: str = ""
    status: int = 200
    content_type: str = HTML
    location: str = ""
    cookies: list[str] = field(default_factory=list)


Handler = Callable[..., Response]


def answer_json(content: dict[str, Any], content_type: str = JSON) -> Response:
    return Response(json.dumps(content), content_type=content_type)


def redirect(location: str, *, permanent: bool = False) -> Response:
    return Response(status=301 if permanent else 302, location=location)


class Site:
    """A WSGI application.

    routes: (pattern of a whole path, handler); the handler gets the request and the pattern's groups.
    languages: says a request's language, for the services that have languages; adds their two headers.
    middleware: called with the request and what would answer it.
    prefix: a leading path that is as good as none.
    """

    def __init__(
        self,
        routes: Iterable[tuple[str, Handler]],
        *,
        languages: Callable[[Request], str] | None = None,
        middleware: Callable[[Request, Callable[[Request], Response]], Response] | None = None,
        prefix: str = "",
    ) -> None:
        self.routes = [(re.compile(pattern), handler) for pattern, handler in routes]
        self.languages = languages
        self.middleware = middleware
        self.prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        request = Request(environ)
        request.language = self.languages(request) if self.languages else ""
        try:
            response = self.middleware(request, self._answer) if self.middleware else self._answer(request)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = Response(pages.system_error(request.path, request.language), status=500)
        reason = responses[response.status].upper() if response.status != 200 else "OK"
        start_response(f"{response.status} {reason}", self._headers(request, response))
        return [] if request.method == "HEAD" else [response.body.encode()]

    def _answer(self, request: Request) -> Response:
        path = request.path
        if self.prefix and path.startswith(self.prefix):
            path = "/" + path[len(self.prefix) :]
        handler, groups = self._find(path)
        if handler:
            return handler(request, *groups)
        if not path.endswith("/") and self._find(path + "/")[0]:
            query = request.environ.get("QUERY_STRING", "")
            return redirect(request.absolute(request.path + "/" + (query and "?" + query)), permanent=True)
        return Response(pages.not_found(), status=404)

    def _find(self, path: str) -> tuple[Handler | None, tuple[str, ...]]:
        for pattern, handler in self.routes:
            match = pattern.fullmatch(path)
            if match:
                return handler, match.groups()
        return None, ()

    def _headers(self, request: Request, response: Response) -> list[tuple[str, str]]:
        headers = [("Vary", "Accept-Language, Cookie")] if self.languages else []
        headers += [("X-Frame-Options", "SAMEORIGIN"), ("Content-Type", response.content_type)]
        if response.location:
            headers.append(("Location", response.location))
        if self.languages:
            headers.append(("Content-Language", request.language))
        return headers + [("Set-Cookie", cookie) for cookie in response.cookies]


def _first_values(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded, keep_blank_values=True).items()}


def _cookies(environ: dict[str, Any]) -> SimpleCookie:
    cookies = SimpleCookie()
    cookies.load(environ.get("HTTP_COOKIE", ""))
    return cookies
