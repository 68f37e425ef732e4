"""Bytes of a file → text. What cannot be read for certain is refused, never guessed."""

import codecs
import re
from dataclasses import dataclass

from shared.errors import BadInput, FieldProblem

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0152\u0153"
"""Not its carons: in files of old Macs their bytes are a, e, o and u with accents."""
_MARKS = (
    "\u20ac\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014\u2026\u2022\u00b7\u00a0"
)
"""Euro, quotation marks, dashes, dots: they may touch letters."""
_SYMBOLS = (
    "\u2122\u00a2\u00a3\u00a7\u00a9\u00ae\u00b0\u00a1\u00bf\u00b1"
    "\u00b2\u00b3\u00bc\u00bd\u00be\u00aa\u00ba\u00d7\u00f7"
)
"""They do not stand inside words of Western languages."""

_WESTERN = re.compile(f"[\\t\\n\\r -~{_LETTERS}{_MARKS}{_SYMBOLS}]*")
_MISREAD = re.compile(
    # Three accented letters in a row, or a symbol inside a word: another alphabet misread.
    f"[\u00c0-\u00ff\u0152\u0153]{{3}}|[{_LETTERS}][{_SYMBOLS}][{_LETTERS}]"
)

_KNOWN_KINDS = {
    b"PK\x03\x04": "This is an Excel or zip file, not CSV. Save it as “CSV UTF-8”.",
    b"\xd0\xcf\x11\xe0": "This is an old Excel file, not CSV. Save it as “CSV UTF-8”.",
    b"%PDF": "This is a PDF, not CSV.",
    b"\x1f\x8b": "This file is compressed. Unpack it first.",
}


class UnreadableFile(BadInput):
    """Not a CSV of products, or in an encoding that cannot be told."""

    code, title = "unreadable-file", "This file cannot be read as a CSV of products"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text and the encoding it was in."""

    text: str
    encoding: str


def unreadable(detail: str, code: str) -> UnreadableFile:
    """The problem of the file as a whole."""
    return UnreadableFile(detail, fields=[FieldProblem("file", detail, code)])


def decode(data: bytes) -> Decoded:
    """UTF-8, UTF-16 with a mark, or Windows-1252 when nothing else is possible.

    Raises `UnreadableFile`.
    """
    _refuse_other_kinds(data)
    if data.startswith(_UTF16):
        return Decoded(_utf16(data), "utf-16")
    if b"\x00" in data:
        raise unreadable("The file is not text.", "not-csv")
    try:
        return Decoded(data.decode("utf-8-sig"), "utf-8")
    except UnicodeDecodeError as error:
        text = _windows_1252(data)
        if text is None:
            raise unreadable(_where(data, error.start), "wrong-encoding") from None
        return Decoded(text, "windows-1252")


def _refuse_other_kinds(data: bytes) -> None:
    if not data.strip():
        raise unreadable("The file is empty.", "empty-file")
    for start, sentence in _KNOWN_KINDS.items():
        if data.startswith(start):
            raise unreadable(sentence, "not-csv")
    if data.startswith(_UTF32):
        raise unreadable("The file is UTF-32. Save it as “CSV UTF-8”.", "wrong-encoding")


def _utf16(data: bytes) -> str:
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError:
        raise unreadable("The file begins as UTF-16 but is damaged.", "wrong-encoding") from None
    if "\x00" in text:
        raise unreadable("The file is not text.", "not-csv")
    return text


def _windows_1252(data: bytes) -> str | None:
    """The text when it can be nothing else: only Western letters, in Western words."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    if not _WESTERN.fullmatch(text) or _MISREAD.search(text) or _has_utf8_inside(data):
        return None
    return text


def _has_utf8_inside(data: bytes) -> bool:
    """Whether some of it is valid UTF-8 beyond ASCII: then the file is a mixture."""
    return any(part.decode("utf-8", "ignore") for part in re.findall(rb"[\x80-\xff]{2,}", data))


def _where(data: bytes, position: int) -> str:
    line = data.count(b"\n", 0, position) + 1
    return (
        f"The file is not UTF-8: line {line} holds the byte 0x{data[position]:02X}. "
        "Save it as “CSV UTF-8” and try again."
    )
