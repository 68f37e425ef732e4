"""Text that people typed: cleaned once, at the edge."""

import html
import re
from html.parser import HTMLParser

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\u00a0]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_PARAGRAPHS = frozenset({"p", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
_LINES = frozenset({"div", "li", "tr"})
_SILENT = frozenset({"script", "style", "head", "template"})


def without_control_characters(text: str) -> str:
    """Drop what PostgreSQL cannot store or a listing cannot show (NUL, escapes, surrogates)."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """A single trimmed line."""
    return " ".join(without_control_characters(text).split())


def fold(text: str) -> str:
    """The form in which words are compared: one line, lower case."""
    return one_line(text).casefold()


class _PlainText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silenced = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silenced += 1
        elif tag == "br":
            self.parts.append("\n")
        else:
            self._break(tag)
        if tag == "li":
            self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silenced = max(0, self._silenced - 1)
        else:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._silenced and (data.strip() or not self._at_line_start()):
            self.parts.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _LINES and not self._at_line_start():
            self.parts.append("\n")

    def _at_line_start(self) -> bool:
        return not self.parts or self.parts[-1].endswith("\n")


def plain_text_of(markup: str) -> str:
    """The words of an HTML body, in paragraphs and lines, nothing executable."""
    parser = _PlainText()
    parser.feed(without_control_characters(markup))
    parser.close()
    text = _SPACE.sub(" ", "".join(parser.parts))
    text = "\n".join(line.strip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", text).strip()


def paragraphs_as_html(text: str) -> str:
    """Plain text as the small HTML that marketplaces accept: escaped, in paragraphs."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block]
    lines = (html.escape(block).replace("\n", "<br>") for block in blocks)
    return "".join(f"<p>{line}</p>" for line in lines)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
