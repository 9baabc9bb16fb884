"""What every engine must do; run over each engine that is installed."""

import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest

from app.domain.errors import DeadlineExceededError, EngineRejectedError, LeaseLostError
from app.speech.engine import Engine, SegmentRequest
from app.speech.registry import installed_engines, load_engines
from app.speech.validation import check_segment
from tests.support.speech import SAMPLE_RATE, ListeningScope, speak

TEXTS = [
    "Hi.",
    "OK",
    "好",
    "1",
    "“Oh dear! I shall be late!” said the Rabbit (when she thought it over).",
    "今天是2025年10月14日，价格为12.5元；真的吗？！",
    "用 Python 3.11 写的 API，p95 从 840ms 降到 120ms。",
    "Line one\nLine two\n\n\tLine four\r\n",
    "a\0b \x01 c \ud800 d \u200b e\u0301 😀 f",
    "… — «Ça va ?» naïve ﬁn Ω ß",
    "word " * 60,
    "天" * 160,
]


@pytest.fixture(params=installed_engines())
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One engine after another."""
    loaded = load_engines([request.param])[request.param]
    yield loaded
    loaded.close()


@pytest.mark.parametrize("text", TEXTS)
def test_engine_speaks_any_text(engine: Engine, text: str) -> None:
    """Each text becomes valid audio of a length that fits it, whatever characters it has."""
    made = speak(engine, text)
    check = check_segment(made.pcm, text=text, engine=engine.name, sample_rate=SAMPLE_RATE)
    assert check.duration_ms > 0


@pytest.mark.parametrize("text", TEXTS)
def test_marks_are_in_the_text_and_in_time(engine: Engine, text: str) -> None:
    """Marks lie inside the text, in its order, and inside the audio, never going back."""
    made = speak(engine, text)
    assert engine.capabilities().marks == {"word"}
    assert made.marks, "no marks at all"
    assert all(0 <= mark.start < mark.end <= len(text) for mark in made.marks)
    assert all(one.end <= two.start for one, two in pairwise(made.marks))
    assert all(one.at_ms <= two.at_ms for one, two in pairwise(made.marks))
    assert made.marks[0].at_ms >= 0
    assert made.marks[-1].at_ms <= made.duration_ms + 1


def test_marks_name_the_words(engine: Engine) -> None:
    """A mark's span is the word, in a text of two scripts after an emoji."""
    made = speak(engine, "😀 Hello, 世界! It’s 3.11.")
    assert made.words() == ["Hello", "世", "界", "It’s", "3.11"]


def test_audio_grows_with_the_text(engine: Engine) -> None:
    """Twice the text is about twice the audio."""
    one = speak(engine, "The root cause was not the network. ").duration_ms
    two = speak(engine, "The root cause was not the network. " * 2).duration_ms
    assert 1.7 * one < two < 2.5 * one


def test_speed_shortens_the_audio(engine: Engine) -> None:
    """Speed 2 takes about half the time; the check knows that."""
    text = "She was considering in her own mind whether to make a daisy chain."
    normal = speak(engine, text)
    fast = speak(engine, text, params={"speed": 2.0})
    assert 0.35 * normal.duration_ms < fast.duration_ms < 0.65 * normal.duration_ms
    check_segment(fast.pcm, text=text, engine=engine.name, sample_rate=SAMPLE_RATE, speed=2.0)


def test_deterministic_engine_repeats_itself(engine: Engine) -> None:
    """Where an engine says that it is deterministic, the same request gives the same bytes."""
    if not engine.capabilities().is_deterministic:
        pytest.skip("does not claim to be deterministic")
    assert speak(engine, "Again, 再来 42.").pcm == speak(engine, "Again, 再来 42.").pcm


def test_every_voice_is_known_by_its_id(engine: Engine) -> None:
    """Ids are unique, and the default and one more voice speak."""
    voices = engine.voices()
    assert len({voice.id for voice in voices}) == len(voices)
    for voice in voices[:2]:
        assert speak(engine, "OK", voice=voice.id).duration_ms > 0


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (SegmentRequest(text="a", voice="nobody", sample_rate=SAMPLE_RATE), "nobody"),
        (SegmentRequest(text="a", params={"warp": 1}, sample_rate=SAMPLE_RATE), "warp"),
        (SegmentRequest(text="a", params={"speed": 99}, sample_rate=SAMPLE_RATE), "speed"),
        (SegmentRequest(text="a", sample_rate=12345), "12345"),
        (SegmentRequest(text="a" * 200_000, sample_rate=SAMPLE_RATE), "200000"),
    ],
)
def test_wrong_request_is_rejected(engine: Engine, request_: SegmentRequest, words: str) -> None:
    """Unknown voices, parameters, rates and lengths: a permanent error that names what was got."""
    with (
        pytest.raises(EngineRejectedError, match=words),
        engine.open(request_, ListeningScope()) as chunks,
    ):
        list(chunks)


def test_lost_lease_stops_the_engine(engine: Engine) -> None:
    """An error of the scope's check comes through, and the engine works afterwards."""
    with pytest.raises(LeaseLostError):
        speak(engine, "word " * 1000, scope=ListeningScope(lose_after=1))
    assert speak(engine, "OK").duration_ms > 0


def test_passed_deadline_stops_the_engine(engine: Engine) -> None:
    """A deadline in the past ends the call before it begins."""
    with pytest.raises(DeadlineExceededError):
        speak(engine, "word " * 1000, scope=ListeningScope(deadline_s=0.0))


def test_leaving_early_stops_the_engine(engine: Engine) -> None:
    """A context that is left after one chunk frees the engine for the next request."""
    request = SegmentRequest(text="word " * 2000, sample_rate=SAMPLE_RATE)
    with engine.open(request, ListeningScope()) as chunks:
        assert next(chunks).pcm
    assert speak(engine, "OK").duration_ms > 0


def test_probe_says_that_it_works(engine: Engine) -> None:
    """A probe is ok, and names engine and version."""
    probe = engine.probe()
    assert probe["ok"] is True
    assert (probe["engine"], probe["version"]) == (engine.name, engine.version)


def test_close_can_be_undone(engine: Engine) -> None:
    """Closing twice is harmless, and a closed engine starts again."""
    engine.close()
    engine.close()
    assert speak(engine, "OK").duration_ms > 0


def test_loading_starts_nothing(engine: Engine) -> None:
    """A web process can list voices and capabilities without the speech library or a child."""
    assert engine.voices()
    assert engine.capabilities().sample_rates
    assert "app.speech.espeak_library" not in sys.modules
    assert getattr(engine, "host_pid", None) is None
