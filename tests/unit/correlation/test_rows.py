"""Rows of a CSV file: what is read, and what is told of a wrong file."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import cli
from app.domain.correlation.answering import answer
from app.domain.correlation.row_faults import WrongRowsError
from app.domain.correlation.rows import Rows, read
from tests.unit.correlation.attempts import NAMES, Rate, cells, usual, where

_HEAD = "at,failed,fingerprint,worker\n"
_SOON = "line 5, column at: must be seconds since the epoch, such as 1760000000.5, got 'soon'"


def _read(text: str) -> Rows:
    return read(text.splitlines(keepends=True))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: is empty; wanted are the columns at, failed, fingerprint and any dimensions"),
        ("\n\n", "line 1: is empty"),
        ("at,worker\n1,2\n", "line 1, column failed: is missing, got the columns at, worker"),
        ("failed,worker\n1,2\n", "line 1, column at: is missing"),
        ("at;failed;worker\n", "line 1: columns have to be separated by commas"),
        ("at,failed,worker,worker\n", "line 1, column worker: is there twice"),
        ("at,failed,,worker\n", "line 1, column 3: has no name"),
        (f"{_HEAD}1,0,,w1\n\n\nsoon,0,,w1\n", _SOON),
        (f"{_HEAD}nan,0,,w1\n", "line 2, column at: must be seconds"),
        (f"{_HEAD}1,0,,w1\n2,yes,,w1\n", "line 3, column failed: must be 0 or 1, got 'yes'"),
        (f"{_HEAD}1,0,,w1\n2,,,w1\n", "line 3, column failed: must be 0 or 1, got ''"),
        (f"{_HEAD}1,0,\n", "line 2, column worker: is missing: 4 values are wanted, got 3"),
        (f"{_HEAD}1,0,,w1,x\n", "line 2, column 5: has no name: 4 values are wanted, got 5"),
        (f'{_HEAD}1,0,,"w1\n2,0,,w2\n', "line 2: a quote opens here and is never closed"),
        (f'{_HEAD}1,0,,"w"1\n', "line 2: a quote ends inside a value"),
        (f'{_HEAD}1,0,,"two\nlines"\n2,x,,w2\n', "line 4, column failed: must be 0 or 1, got 'x'"),
    ],
)  # fmt: skip
def test_wrong_file_is_told_with_line_and_column(text: str, told: str) -> None:
    """What was got, and what is allowed."""
    with pytest.raises(WrongRowsError) as caught:
        _read(text)
    assert str(caught.value).startswith(told)


def test_wrong_row_far_down_is_told() -> None:
    """Beyond the first block of rows, lines are counted on."""
    lines = [_HEAD, *(f"{at},0,,w1\n" for at in range(45_000)), "1,2,,w1\n"]
    with pytest.raises(
        WrongRowsError, match=r"^line 45002, column failed: must be 0 or 1, got '2'"
    ):
        read(lines)


def test_file_may_look_as_it_likes() -> None:
    """A byte order mark, CRLF, empty lines, quotes, columns in any order, blanks about a number."""
    text = '\ufeffworker,failed,at,fingerprint\r\n"w,1",1, 5 ,"a ""b"""\r\n\r\n,0,6.5,x\r\n'
    found = _read(text)
    assert found.names == ("worker",)
    assert found.values == (("", "w,1"),)
    assert found.at.tolist() == [5.0, 6.5]
    assert found.fingerprints == ('a "b"',)
    assert found.failure.tolist() == [0, -1]


@pytest.mark.parametrize("verdict", ["1", " 1", "1 ", "  1\t"])
def test_blanks_about_a_verdict_do_not_matter(verdict: str) -> None:
    """Before it and after it, as about a moment."""
    found = _read(f"{_HEAD}1,0,,a\n2,{verdict},x,b\n")
    assert found.failure.tolist() == [-1, 0]


def test_columns_that_tell_nothing_are_left_out() -> None:
    """A column with one value, silently; one with a value for each row, with a note."""
    rows = "".join(f"{at},0,id-{at},same,w{at % 2}\n" for at in range(100))
    found = _read(f"at,failed,id,region,worker\n{rows}")
    assert found.names == ("worker",)
    assert found.notes == (
        "no column fingerprint: failures are all of one kind",
        "column id left out: nearly each row has a value of its own",
    )


def test_more_dimensions_than_can_be_looked_at_are_told() -> None:
    """64 tell rows apart; the 65th is named."""
    names = ",".join(f"d{number}" for number in range(65))
    rows = "".join(f"{at},0,{','.join([str(at % 2)] * 65)}\n" for at in range(4))
    with pytest.raises(WrongRowsError, match=r"^line 1, column d64: is one dimension too many"):
        _read(f"at,failed,{names}\n{rows}")


def test_rows_from_the_start_on_are_the_window() -> None:
    """A row at the start itself is of the window; what is before is the baseline."""
    found = _read(f"{_HEAD}9.999,1,f,a\n10,0,,a\n11,1,g,b\n")
    window, baseline = found.cubes(10.0)
    assert (window.total, window.failed, baseline.total, baseline.failed) == (2, 1, 1, 1)


def _file(path: Path, *, has_past: bool = True) -> Path:
    """Worker w3 fails with voice v2 from moment 1600 on, in a window from 1000 to 2000."""
    lines = [f"at,failed,fingerprint,{','.join(NAMES)}"]
    bad = where(0.7, "boom", worker="w3", voice="v2")
    for place, at in enumerate(range(1_000)):
        if has_past:
            lines += _lines(float(at), usual, 7, place)
        lines += _lines(1_000.0 + at, bad if at >= 600 else usual, 6, 5_000 + place)
    path.write_text("\n".join(lines) + "\n")
    return path


def _lines(at: float, rate: Rate, count: int, seed: int) -> list[str]:
    return [
        f"{at},{int(failure is not None)},{failure or ''},{','.join(values)}"
        for values, failure, _ in cells(count, rate, seed=seed)
    ]


def _correlate(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["correlate", *arguments])


def test_command_answers_in_json(tmp_path: Path) -> None:
    """The finding with its onset, the whole, and no other key than was promised."""
    path = _file(tmp_path / "rows.csv")
    done = _correlate("--rows", str(path), "--window-start", "1000", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    [finding] = found["findings"]
    assert finding["where"] == {"worker": "w3", "voice": "v2"}
    assert finding["fingerprint"] == "boom"
    assert finding["indistinguishable"] == []
    assert finding["onset_low"] <= finding["onset"] <= finding["onset_high"]
    assert abs(finding["onset"] - 1_600) <= 50
    assert set(finding) == {
        "where", "observed", "expected", "lift", "q", "fingerprint",
        "onset", "onset_low", "onset_high", "indistinguishable",
    }  # fmt: skip
    assert finding["lift"] == pytest.approx(finding["observed"] / finding["expected"])
    assert set(found) == {"findings", "overall"}
    assert found["overall"]["kind"] == "none"
    assert set(found["overall"]) == {"kind", "dimension", "observed", "expected"}


def test_command_answers_in_words(tmp_path: Path) -> None:
    """The same for people, English and Chinese; what ended since the onset is counted apart."""
    path = _file(tmp_path / "rows.csv")
    english = _correlate("--rows", str(path), "--window-start", "1000")
    assert "1. worker=w3, voice=v2: " in english.stdout
    assert " failed with `boom` (expected 0" in english.stdout
    since = re.search(r"; (\d+) of (\d+) since ", english.stdout)
    assert since is not None
    whole = re.search(r": (\d+) of (\d+) failed ", english.stdout)
    assert whole is not None
    assert int(since[1]) <= int(whole[1])
    assert int(since[2]) < int(whole[2])
    chinese = _correlate("--rows", str(path), "--window-start", "1000", "--lang", "zh")
    assert "1. worker=w3, voice=v2：" in chinese.stdout
    assert f"，此后 {since[2]} 次中 {since[1]} 次失败" in chinese.stdout


def test_rows_without_a_past_are_answered(tmp_path: Path) -> None:
    """Less is known: the cause is found all the same, and a note says what is missing."""
    with _file(tmp_path / "rows.csv", has_past=False).open(newline="") as lines:
        found = answer(read(lines), 1_000.0)
    assert [dict(one.where) for one in found.scan.findings] == [{"worker": "w3", "voice": "v2"}]
    assert found.scan.notes == (
        "no row is before the start of the window: what always failed is not known",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rows", "FILE"], "--rows needs --window-start EPOCH_S"),
        (["--rows", "FILE", "--window-start", "nan"], "must be seconds since the epoch, got nan"),
        (
            ["--rows", "FILE", "--window-start", "1", "--from", "2h"],
            "--from asks about this system",
        ),
        (["--rows", "FILE", "--window-start", "soon"], "'soon' is not a valid float"),
        (["--window-start", "1"], "--window-start goes with --rows"),
        (["--rows", "nowhere.csv", "--window-start", "1"], "nowhere.csv: No such file"),
        (["--rows", "FILE", "--window-start", "1"], "line 3, column failed: must be 0 or 1"),
    ],
)
def test_command_tells_wrong_use(tmp_path: Path, arguments: list[str], told: str) -> None:
    """Exit code 2, and what is wrong."""
    path = tmp_path / "rows.csv"
    path.write_text(f"{_HEAD}1,0,,a\n2,?,,b\n")
    done = _correlate(*(one.replace("FILE", str(path)) for one in arguments))
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (_HEAD.encode() + b"1,0,,a\n2,1,\xff,b\n", "line 3, column fingerprint: byte 0xff"),
        (_HEAD.encode() + b'1,0,"a,\nb",a\n2,1,"x,y",\xc4\n', "line 4, column worker: byte 0xc4"),
        (_HEAD.encode() + b'\n1,0,"a,\nb",a\xe4\xb8\n', "line 3, column worker: byte 0xe4"),
        (_HEAD.encode() + b"1,0,,a,\xff\n", "line 2, column 5: byte 0xff"),
        (b"\n \n" + _HEAD.encode() + b"1,0,,\xff\n", "line 4, column worker: byte 0xff"),
        (b"at,failed,\xb9\xa4\n1,0,a\n", "line 1, column 3: byte 0xb9"),
    ],
)
def test_bytes_that_are_no_text_are_told_with_their_place(
    tmp_path: Path, content: bytes, told: str
) -> None:
    """A file of another encoding: the line, the column by its name where it has one, the byte."""
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    done = _correlate("--rows", str(path), "--window-start", "1", "--json")
    assert done.exit_code == 2
    assert f"{told} is no UTF-8" in done.stderr
    assert done.stdout == ""


def test_numbers_and_notes_are_told_as_in_sentences(tmp_path: Path) -> None:
    """Thousands apart, a thin space before the sign of percent; in Chinese notes begin so, too."""
    lines = [f"{at},{int(at % 3 > 0 and at > 900)},w{at % 3}" for at in range(9_000)]
    path = tmp_path / "rows.csv"
    path.write_text("at,failed,worker\n" + "\n".join(lines) + "\n")
    english = _correlate("--rows", str(path), "--window-start", "1000").stdout
    assert "2\u202f66" in english
    assert not re.search(r"\d{4}", english)
    assert re.search("[0-9]\u202f% of all failures", english)
    assert "[0-9]%" not in english
    assert "note: no column fingerprint" in english
    chinese = _correlate("--rows", str(path), "--window-start", "1000", "--lang", "zh").stdout
    assert "注意：no column fingerprint" in chinese
    assert "note" not in chinese
    assert not re.search(r"\d{4}|\d%", chinese)
