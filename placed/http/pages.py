"""The pages for people, and the files that they consist of: `/static/<version>/<name>`.

A page is an HTML shell without data, the same for every reader; its scripts read the data from the API. So
where the endpoint needs a token, the page itself needs none: it asks the reader for the token and sends it
with each request.

`version` is a digest of all files. So browsers may cache them for ever, one page never mixes the files of two
versions, and the files refer to each other by relative addresses.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING

from placed.domain.problem import Problem
from placed.http.errors import HttpError
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
_IMMUTABLE = "public, max-age=31536000, immutable"
_WORTH_COMPRESSING = 400  # bytes; below, the header fields are larger than what gzip saves
_BEST = 9  # gzip's level: every file is compressed once


class Assets:
    """The files under `placed/http/static`, read once.

    Args:
        frame_ancestors: sites that may embed a page in a frame.
        offline_after: how long a page shows its last data without a message from the daemon.
        has_qr_codes: whether panels show a QR code.
    """

    def __init__(
        self,
        frame_ancestors: tuple[str, ...] = (),
        offline_after: timedelta = timedelta(seconds=8),
        *,
        has_qr_codes: bool = False,
    ) -> None:
        self._offline_after = offline_after
        self._has_qr_codes = has_qr_codes
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
                headers={"Cache-Control": _IMMUTABLE},
                level=_BEST,
                worth_compressing=_WORTH_COMPRESSING,
            )
            for name, content in self._content.items()
            if name != _WORKER
        }

    @property
    def languages(self) -> list[str]:
        """The languages that have a file of texts, English first."""
        names = (name for name in self._content if name.startswith("i18n/"))
        found = {name.removeprefix("i18n/").removesuffix(".json") for name in names}
        return sorted(found, key=lambda language: (language != "en", language))

    def page(self, name: str, root: str) -> Representation:
        """A page, with the address of its files and the list of languages filled in.

        Args:
            name: the name of its file.
            root: the relative path from the page's address to the daemon's root, such as `../`, because a
                proxy may serve the daemon below any path.
        """
        return self._filled(
            name,
            "html",
            self._policy,
            root=root,
            version=self.version,
            languages=" ".join(self.languages),
            offline_after=f"{self._offline_after.total_seconds():g}",
            qr_codes="yes" if self._has_qr_codes else "no",
        )

    def worker(self, *pages: Representation) -> Representation:
        """The service worker. Its bytes change with every file and page, so browsers take up both at once."""
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
        """A file with its fields, `{{name}}`, filled in. Browsers check each time whether it has changed."""
        text = self._content[name].decode()
        for key, value in fields.items():
            text = text.replace("{{" + key + "}}", value)
        headers = {"Content-Security-Policy": policy}
        return Representation(text.encode(), media_type=_MEDIA_TYPES[kind], headers=headers, level=_BEST)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """`/static/<version>/<name>`."""
        found = self._representations.get(request.match_info["name"])
        if found is None or request.match_info["version"] != self.version:
            text = "There is no such file in this version of the pages"
            raise HttpError(HTTPStatus.NOT_FOUND, Problem("", text))
        return await found.answer(request)


def _policy(frame_ancestors: tuple[str, ...]) -> str:
    """The Content-Security-Policy: only the program's own files are run and shown; no text becomes markup."""
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
        "trusted-types placed"  # offline.js makes it, for the address of the service worker
    )


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _MEDIA_TYPES:
            yield prefix + entry.name, entry.read_bytes()


class Pages:
    """The board of all rooms, the panel of one, and its day for phones."""

    def __init__(self, assets: Assets) -> None:
        self.change(assets)

    def change(self, assets: Assets) -> None:
        """Answers with these files from now on."""
        self._assets = assets
        self._board = assets.page("board.html", "")
        self._panel = assets.page("panel.html", "../")
        self._day = assets.page("day.html", "../../")
        self._worker = assets.worker(self._board, self._panel, self._day)

    async def board(self, request: web.Request) -> web.StreamResponse:
        """`/`: all rooms."""
        return await self._board.answer(request)

    async def panel(self, request: web.Request) -> web.StreamResponse:
        """`/rooms/<id>`: one room, for a tablet at its door. The page itself checks that the room exists."""
        return await self._panel.answer(request)

    async def day(self, request: web.Request) -> web.StreamResponse:
        """`/rooms/<id>/day`: today's meetings of one room, for a phone. The QR code on the panel opens it."""
        return await self._day.answer(request)

    async def worker(self, request: web.Request) -> web.StreamResponse:
        """`/worker.js`: the service worker. Its address sets its scope: every page beside and below it."""
        return await self._worker.answer(request)

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """`/static/<version>/<name>`: a file that the pages consist of."""
        return await self._assets.serve(request)
