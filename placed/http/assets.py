"""The files that a page is made of: `/static/<version>/<name>`.

`version` is a digest of all of them. So a browser may keep what it has for good, one page never mixes the
files of two versions, and the files name each other relative to themselves.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING

from placed.http.errors import Problem
from placed.http.responses import Representation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from aiohttp import web

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_WORKER = "worker.js"
_WORKER_POLICY = "default-src 'none'; connect-src 'self'"
_FOR_GOOD = "public, max-age=31536000, immutable"
_SMALL = 400  # bytes; below, the headers are more
_BEST = 9  # gzip's level: every file is packed once


class Assets:
    """The files under `placed/http/static`, read once.

    Args:
        frame_ancestors: sites that may show a page in a frame.
        offline_after: how long a page shows what it knows without hearing from the daemon.
    """

    def __init__(
        self, frame_ancestors: tuple[str, ...] = (), offline_after: timedelta = timedelta(seconds=8)
    ) -> None:
        self._offline_after = offline_after
        self._policy = _policy(frame_ancestors)
        self._content = dict(_walk(files("placed.http").joinpath("static")))
        digest = blake2b(digest_size=8)
        for name, content in sorted(self._content.items()):
            digest.update(b"%b\0%d\0%b" % (name.encode(), len(content), content))
        self.version = digest.hexdigest()
        self._representations = {
            name: Representation(
                content,
                media_type=_MEDIA_TYPES[name.rpartition(".")[2]],
                headers={"Cache-Control": _FOR_GOOD},
                level=_BEST,
                worth_packing=_SMALL,
            )
            for name, content in self._content.items()
            if name != _WORKER
        }

    @property
    def languages(self) -> list[str]:
        """The languages that there is a file of words for, English first."""
        names = (name for name in self._content if name.startswith("i18n/"))
        found = {name.removeprefix("i18n/").removesuffix(".json") for name in names}
        return sorted(found, key=lambda language: (language != "en", language))

    def page(self, name: str, root: str) -> Representation:
        """A page, with where its files are and what languages there are filled in.

        Args:
            name: of the file.
            root: the way from the page's address to the daemon's root, such as `../`. It is relative, for a
                proxy may have the daemon below any path.
        """
        return self._filled(
            name,
            "html",
            self._policy,
            root=root,
            version=self.version,
            languages=" ".join(self.languages),
            offline_after=f"{self._offline_after.total_seconds():g}",
        )

    def worker(self, *pages: Representation) -> Representation:
        """The service worker: another one whenever a file or a page is, so that browsers take up both."""
        digest = blake2b(digest_size=8)
        digest.update("".join((self.version, *(page.tag for page in pages))).encode())
        kept = (name for name in sorted(self._content) if not name.endswith((".html", _WORKER)))
        return self._filled(
            _WORKER,
            "js",
            _WORKER_POLICY,
            files=" ".join(kept),
            version=self.version,
            shell=digest.hexdigest(),
        )

    def _filled(self, name: str, kind: str, policy: str, **fields: str) -> Representation:
        """A file with its fields, `{{name}}`, filled in. It is asked for each time."""
        text = self._content[name].decode()
        for key, value in fields.items():
            text = text.replace("{{" + key + "}}", value)
        headers = {"Content-Security-Policy": policy}
        return Representation(text.encode(), media_type=_MEDIA_TYPES[kind], headers=headers, level=_BEST)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers with a file of this version."""
        found = self._representations.get(request.match_info["name"])
        if found is None or request.match_info["version"] != self.version:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such file in this version of the pages.")
        return await found.answer(request)


def _policy(frame_ancestors: tuple[str, ...]) -> str:
    """Pages run nothing and show nothing but the program's own files, and no text can turn into markup."""
    framed_by = " ".join(frame_ancestors) or "'none'"
    return (
        "default-src 'none'; "
        "script-src 'self'; "
        "style-src 'self'; "
        "img-src 'self'; "
        "connect-src 'self'; "
        "base-uri 'none'; "
        "form-action 'none'; "
        f"frame-ancestors {framed_by}; "
        "require-trusted-types-for 'script'; "
        "trusted-types placed"  # the one that offline.js makes, for the address of the service worker
    )


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _MEDIA_TYPES:
            yield prefix + entry.name, entry.read_bytes()
