"""libespeak-ng by ctypes. Only an engine host loads it: it is not thread-safe, and may crash.

The constants and structures are those of espeak-ng's `speak_lib.h` (1.52).
"""

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import espeakng_loader

_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARACTERS = 1
_UTF8 = 1
_RATE, _VOLUME, _PITCH = 1, 2, 3
_LIST_END, _WORD = 0, 1
_GO_ON, _STOP = 0, 1


class _EventId(ctypes.Union):
    _fields_ = [  # type: ignore[mutable-override] # the way of ctypes
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [  # type: ignore[mutable-override] # the way of ctypes
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Setting(NamedTuple):
    """How to speak: a voice file below `lang/`, words per minute, 0..200 volume, 0..100 pitch."""

    voice: str
    rate: int
    volume: int
    pitch: int


#: Takes PCM and (offset, ms) of words; returns False to stop.
Listener = Callable[[bytes, list[tuple[int, int]]], bool]


class EspeakLibrary:
    """The loaded library. One process has at most one, and speaks one text at a time."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Initialize.argtypes = [
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_int,
        ]
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate = int(
            self._library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, data, _DONT_EXIT)
        )
        if self.sample_rate <= 0:
            message = f"espeak_Initialize answered {self.sample_rate}"
            raise OSError(message)

    def speak(self, text: str, setting: Setting, listener: Listener) -> None:
        """Speaks `text`, calling `listener` for about every 60 ms of audio.

        Raises:
            LookupError: There is no such voice.
            OSError: The library answered with an error.
        """
        if self._library.espeak_SetVoiceByName(setting.voice.encode()) != 0:
            message = f"espeak has no voice file {setting.voice}"
            raise LookupError(message)
        for parameter, value in (
            (_RATE, setting.rate),
            (_VOLUME, setting.volume),
            (_PITCH, setting.pitch),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        callback = _Callback(_adapt(listener))
        self._library.espeak_SetSynthCallback(callback)
        data = text.encode() + b"\0"
        code = self._library.espeak_Synth(data, len(data), 0, _CHARACTERS, 0, _UTF8, None, None)
        if code != 0:
            message = f"espeak_Synth answered {code}"
            raise OSError(message)


def _adapt(listener: Listener) -> Callable[[Any, int, Any], int]:
    def on_audio(samples: Any, sample_count: int, events: Any) -> int:
        words: list[tuple[int, int]] = []
        index = 0
        while events[index].type != _LIST_END:
            if events[index].type == _WORD:
                words.append((events[index].text_position - 1, events[index].audio_position))
            index += 1
        pcm = ctypes.string_at(samples, 2 * sample_count) if samples and sample_count > 0 else b""
        return _GO_ON if listener(pcm, words) else _STOP

    return on_audio
