"""Which voice of espeak speaks which part of a text that mixes scripts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.domain.errors import EngineRejectedError
from app.speech.engine import SegmentRequest
from app.speech.espeak_limits import parts
from app.speech.espeak_voices import AUTO, EspeakVoice, voice_of_language
from app.speech.language import LANGUAGES, ScriptRun, language_of, script_runs
from app.speech.scripts import script_of
from app.speech.sentences import PAUSES_MS

#: The voice of a script that neither the asked voice nor the asked language covers.
_SCRIPT_VOICES: Mapping[str, str] = MappingProxyType({**LANGUAGES, "Latn": "en-us", "Hani": "cmn"})

_SENTENCE_END = "。！？!?….｡"
_CLAUSE_END = "，、；：,;:—–"
_CLOSERS = "\"'”’)]】」』》）〉〕 \t\n\u3000"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenRun:
    """text[start:end] is spoken by one voice.

    Args:
        start: Offset of its first character.
        end: Offset after its last.
        voice: Its voice.
        pause_ms: Silence after it, where another run follows.
    """

    start: int
    end: int
    voice: EspeakVoice
    pause_ms: int


def plan(request: SegmentRequest, voices: Mapping[str, EspeakVoice]) -> list[SpokenRun]:
    """Who speaks which part of the text, in order; together they are the whole text.

    No part is longer than what espeak speaks in full.

    Raises:
        EngineRejectedError: An unknown voice or language, or Japanese with kanji.
    """
    runs = _runs(request, voices)
    for run in runs:
        _require_readable(request.text, run)
    return [part for run in runs for part in _parts(request.text, run)]


def _require_readable(text: str, run: SpokenRun) -> None:
    """Refuses kanji: the Japanese voice says "Chinese letter" for each instead of reading it."""
    if "Kana" not in run.voice.scripts:
        return
    count = sum(script_of(char) == "Hani" for char in text[run.start : run.end])
    if count:
        message = (
            f"espeak reads Japanese kana only, and {count} kanji are in this part: "
            "write them in kana, or choose another engine"
        )
        raise EngineRejectedError(message, error_type="unreadable_script")


def _parts(text: str, run: SpokenRun) -> Iterator[SpokenRun]:
    """A run in parts that can be spoken at once; only the last is followed by a pause."""
    spells_han = "Kana" in run.voice.scripts
    for start, end in parts(text[run.start : run.end], spells_han=spells_han):
        is_last = run.start + end == run.end
        pause_ms = run.pause_ms if is_last else 0
        yield replace(run, start=run.start + start, end=run.start + end, pause_ms=pause_ms)


def _runs(request: SegmentRequest, voices: Mapping[str, EspeakVoice]) -> list[SpokenRun]:
    """One voice after another.

    Each run goes to the voice that was asked for if that reads its script, else to the voice of the
    language that was asked for, else to the usual voice of the script.
    """
    asked = [
        voice
        for voice in (_asked_voice(request, voices), _asked_language(request, voices))
        if voice
    ]
    if language_of(request.text) == "ja":
        asked.append(voices["ja"])
    runs: list[SpokenRun] = []
    for run in script_runs(request.text):
        voice = _voice_of_run(run, asked, voices)
        start = run.start
        if runs and runs[-1].voice == voice:
            start = runs.pop().start
        pause_ms = _pause_ms(request.text[start : run.end])
        runs.append(SpokenRun(start=start, end=run.end, voice=voice, pause_ms=pause_ms))
    return runs


def _asked_voice(request: SegmentRequest, voices: Mapping[str, EspeakVoice]) -> EspeakVoice | None:
    if request.voice in {"", AUTO}:
        return None
    voice = voices.get(request.voice)
    if voice is None:
        message = (
            f"espeak: unknown voice {request.voice[:40]!r}; "
            f"one of its {len(voices) + 1} voices is allowed, such as {AUTO}, cmn, yue or en-us"
        )
        raise EngineRejectedError(message)
    return voice


def _asked_language(
    request: SegmentRequest, voices: Mapping[str, EspeakVoice]
) -> EspeakVoice | None:
    if not request.language:
        return None
    voice = voice_of_language(request.language, voices)
    if voice is None:
        message = f"espeak: unknown language {request.language[:40]!r}; BCP 47 such as zh or en-GB"
        raise EngineRejectedError(message)
    return voice


def _voice_of_run(
    run: ScriptRun, asked: list[EspeakVoice], voices: Mapping[str, EspeakVoice]
) -> EspeakVoice:
    for voice in asked:
        if run.script is None or run.script in voice.scripts:
            return voice
    return voices[_SCRIPT_VOICES.get(run.script or "Latn", "en-us")]


def _pause_ms(text: str) -> int:
    last = text.rstrip(_CLOSERS)[-1:]
    if last and last in _SENTENCE_END:
        return PAUSES_MS["sentence"]
    return PAUSES_MS["clause"] if last and last in _CLAUSE_END else 0
