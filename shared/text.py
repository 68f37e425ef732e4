"""Text that people typed: cleaned once, at the edge."""

import html
import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\u00a0]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_PARAGRAPHS = frozenset({"p", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
_LINES = frozenset({"div", "li", "tr"})
_SILENT = frozenset({"script", "style", "head", "template"})
_TAG = re.compile(
    r"""<(?:(?P<closing>/)?(?P<name>[a-zA-Z][a-zA-Z0-9:-]*)|[!?/])(?:"[^"<]*"|'[^'<]*'|[^<>])*+>"""
)
"""Reads no further than the next `<` and never goes back."""


def without_control_characters(text: str) -> str:
    """Drop what PostgreSQL cannot store or a listing cannot show (NUL, escapes, surrogates)."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """A single trimmed line."""
    return " ".join(without_control_characters(text).split())


def fold(text: str) -> str:
    """The form in which words are compared: one line, lower case."""
    return one_line(text).casefold()


class _PlainText:
    """Collects words and line breaks, tag by tag."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._silenced_by: str | None = None

    def tag(self, name: str, *, closing: bool) -> None:
        """A tag begins or ends a line, or silences what is up to its end."""
        if self._silenced_by is not None:
            if closing and name == self._silenced_by:
                self._silenced_by = None
        elif name in _SILENT:
            self._silenced_by = None if closing else name
        elif name == "br":
            self._parts.append("\n")
        else:
            self._break(name)
            if name == "li" and not closing:
                self._parts.append("- ")

    def words(self, text: str) -> None:
        """What stands between two tags."""
        said = html.unescape(text)
        if self._silenced_by is None and (said.strip() or not self._at_line_start()):
            self._parts.append(re.sub(r"\s+", " ", said))

    def text(self) -> str:
        """Everything so far."""
        return "".join(self._parts)

    def _break(self, name: str) -> None:
        if name in _PARAGRAPHS:
            self._parts.append("\n\n")
        elif name in _LINES and not self._at_line_start():
            self._parts.append("\n")

    def _at_line_start(self) -> bool:
        return not self._parts or self._parts[-1].endswith("\n")


def plain_text_of(markup: str) -> str:
    """The words of an HTML body, in paragraphs and lines, nothing executable.

    In time proportional to its length, whatever it is: Python's own parser takes minutes for
    some hundred kilobytes of unfinished tags.
    """
    found = _PlainText()
    end = 0
    without_comments = _without_comments(without_control_characters(markup))
    for tag in _TAG.finditer(without_comments):
        found.words(without_comments[end : tag.start()])
        if tag["name"]:
            found.tag(tag["name"].lower(), closing=bool(tag["closing"]))
        end = tag.end()
    found.words(without_comments[end:])
    text = _SPACE.sub(" ", without_control_characters(found.text()))
    text = "\n".join(line.strip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", text).strip()


def _without_comments(markup: str) -> str:
    parts, at = [], 0
    while (start := markup.find("<!--", at)) >= 0:
        parts.append(markup[at:start])
        end = markup.find("-->", start + 2)
        at = len(markup) if end < 0 else end + 3
    parts.append(markup[at:])
    return "".join(parts)


def paragraphs_as_html(text: str) -> str:
    """Plain text as the small HTML that marketplaces accept: escaped, in paragraphs."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block]
    lines = (html.escape(block).replace("\n", "<br>") for block in blocks)
    return "".join(f"<p>{line}</p>" for line in lines)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
