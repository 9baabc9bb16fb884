"""What SQLite's index of trigrams takes for one letter, against what a look at rows does."""

import sqlite3
from contextlib import closing
from typing import Final

from app.store.lists import folding
from app.store.lists.contains import has_case

#: The characters that are looked at: up to the last plane that has letters of two cases.
_CHARS: Final = [
    chr(code) for code in range(0x20, 0x20000) if not 0xD800 <= code < 0xE000 and code != 0x22
]
_SOUGHT: Final = {*filter(has_case, _CHARS), *_CHARS[::40], *"\ufffd\ufffe\uffff"}


def test_letters_are_known_for_what_the_index_takes_them() -> None:
    """Where the index finds more than a look at rows, or less, that is known of the letter."""
    with closing(sqlite3.connect(":memory:")) as index:
        index.execute("CREATE VIRTUAL TABLE fts USING fts5(body, tokenize='trigram')")
        rows = ((ord(char), f"..{char}..") for char in _CHARS)
        index.executemany("INSERT INTO fts (rowid, body) VALUES (?, ?)", rows)
        seek = "SELECT rowid FROM fts WHERE fts MATCH ?"
        for char in _SOUGHT:
            found = {chr(row[0]) for row in index.execute(seek, (f'"..{char}.."',))}
            looked = {one for one in (char, char.lower(), char.upper()) if len(one) == 1}
            assert looked <= found or not folding.finds_all(char), hex(ord(char))
            assert found <= looked or folding.finds_more(char), hex(ord(char))
