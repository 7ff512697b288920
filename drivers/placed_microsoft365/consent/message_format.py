"""A message made of blocks, rendered as plain text and as a self-contained HTML page."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = 96
_WIDEST_NAME = 14
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.6em}"
    "th,td{text-align:left;vertical-align:top;padding:.2em 1em .2em 0;overflow-wrap:anywhere}"
    "a,code{overflow-wrap:anywhere}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of names and values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A bulleted list."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An address on a line of its own, which is never wrapped."""

    url: str


Block = Heading | Paragraph | Facts | Items | Link


def as_text(title: str, blocks: Sequence[Block]) -> str:
    """Renders plain text with wrapped lines; addresses stay whole."""
    lines = [*_wrapped(title)]
    for block in blocks:
        lines.append("")
        match block:
            case Heading(text):
                lines += [text.upper()]
            case Paragraph(text):
                lines += _wrapped(text)
            case Facts(rows):
                width = min(max(len(name) for name, _ in rows), _WIDEST_NAME) + 2
                for name, value in rows:
                    indent = " " * (width if len(name) < width else 4)
                    lines += _wrapped(value, f"{name + ':':<{width - 1}} ", indent)
            case Items(texts):
                for text in texts:
                    lines += _wrapped(text, "  - ", "    ")
            case Link(url):
                lines += [f"  {url}"]
            case _:
                assert_never(block)
    return "\n".join([*lines, ""])


def as_html(title: str, blocks: Sequence[Block]) -> str:
    """Renders a whole page; all text is escaped, and nothing is loaded."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{html.escape(title)}</h1>",
            *(_element(block) for block in blocks),
            "</body>",
            "</html>",
            "",
        ]
    )


def _wrapped(text: str, first: str = "", others: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _element(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{html.escape(text)}</h2>"
        case Paragraph(text):
            return f"<p>{html.escape(text)}</p>"
        case Facts(rows):
            cells = (
                f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows
            )
            return f"<table>{''.join(cells)}</table>"
        case Items(texts):
            return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>"
        case Link(url):
            return f'<p><a href="{html.escape(url)}">{html.escape(url)}</a></p>'
        case _:
            assert_never(block)
