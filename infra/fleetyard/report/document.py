"""A whole HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


def document(title: str, style: str, body: Iterable[str]) -> str:
    """The page. title: plain text; style: CSS; body: elements, one line each or more, escaped by who made them."""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(title)}</title><style>{style}</style>",
            *body,
            "</html>",
            "",
        ]
    )
