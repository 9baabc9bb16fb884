"""Bytes of an uploaded file to text, and the name of the encoding that was chosen."""

import codecs
from dataclasses import dataclass

from app.domain.errors import RequestError

#: Encodings a caller may name, and what Python calls them.
ENCODINGS = {
    "utf-8": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
}

#: Share of zeros in one half of the bytes from which a file without a mark is UTF-16.
MIN_ZERO_RATIO = 0.2

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedText:
    """A file's text and the encoding it was read in (a key of `ENCODINGS`)."""

    content: str
    encoding: str


def decode_text(data: bytes, *, encoding: str | None = None) -> DecodedText:
    """The text of a file.

    Order of the guess: byte order mark; UTF-16 without one (zero bytes in every other place);
    UTF-8; then GB18030 or Big5, whichever reads as more everyday Chinese.

    Args:
        data: The file.
        encoding: The caller's word for it, which overrides the guess.

    Raises:
        RequestError: Unknown encoding, or bytes that are not text in it (with the byte offset).
    """
    if encoding:
        name = encoding.strip().lower().replace("_", "-")
        if name not in ENCODINGS:
            message = f"encoding {encoding[:40]!r} is not known; allowed: {', '.join(ENCODINGS)}"
            raise RequestError(message)
        return DecodedText(content=_decode(data, name), encoding=name)
    for bom, name in _BOMS:
        if data.startswith(bom):
            return DecodedText(content=_decode(data, name), encoding=name)
    name = _guess(data)
    return DecodedText(content=_decode(data, name), encoding=name)


def _decode(data: bytes, name: str) -> str:
    try:
        text = data.decode(ENCODINGS[name])
    except UnicodeDecodeError as error:
        message = (
            f"the file is not {name} text: byte 0x{data[error.start]:02X} at offset {error.start}; "
            f"name its encoding in the field 'encoding' ({', '.join(ENCODINGS)})"
        )
        raise RequestError(message) from error
    return text.removeprefix("\ufeff")


def _guess(data: bytes) -> str:
    sixteen = _guess_utf16(data[:4096])
    if sixteen:
        return sixteen
    if _reads(data, "utf-8") is not None:
        return "utf-8"
    scores = {name: _everyday(_reads(data, name)) for name in ("gb18030", "big5")}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 else "utf-8"


def _guess_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: Latin text has zeros in one half; Chinese reads only one way round."""
    if len(head) < 4 or b"\0" not in head:
        return None
    half = len(head) / 2
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    more, less = max(even, odd), min(even, odd)
    if more < MIN_ZERO_RATIO or less > more / 4:
        return None  # a NUL in some other text: it is named where texts are checked
    return "utf-16-be" if even > odd else "utf-16-le"


def _reads(data: bytes, name: str) -> str | None:
    try:
        return data.decode(ENCODINGS[name])
    except UnicodeDecodeError:
        return None


def _everyday(text: str | None) -> float:
    """Share of characters that everyday Chinese (or ASCII) is made of; -1 where it is no text."""
    if not text:
        return -1.0
    sample = text[:20000]
    usual = sum(_is_usual(char) for char in sample)
    odd = sum(0xE000 <= ord(char) <= 0xF8FF or char == "\ufffd" for char in sample)
    return (usual - 4 * odd) / len(sample)


#: The most frequent characters of written Chinese, traditional and simplified forms alike.
_FREQUENT = frozenset(
    "的一是了我不人在他有這个上們来到時大地為子中你說生國年著就那和要她出也得里後自以會家可下而過天去能對小多然于心學么之都好看起發當没成只如事把還用第樣道想作種開美總從無情己面最女但現前些所同日手又行意動方期它頭經長兒回位分愛老因很給名法間斯知世什兩次使身者被高已親其進此話常與活正感这们时为说国着后会过对学发当没还样种开总从无现动头经长儿爱给间两亲进话与，。！？、；：「」“”‘’《》（）…—"
)


def _is_usual(char: str) -> bool:
    return char < "\x80" or char in _FREQUENT
