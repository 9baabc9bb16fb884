"""What varies in messages: ids, hosts, paths, times, amounts, names; drawn anew each time."""

import string
import uuid
from collections.abc import Callable
from random import Random

from typing_extensions import override

_ENDINGS = ("wav", "mp3", "onnx", "json", "flac")
_NAMES = ("amy", "joe", "晓晓", "云希", "zh_female_wanwan", "en-US-AriaNeural", "f1", "narrator_03")
_DIRS = ("data", "out", "var", "tmp", "home", "audio", "chunks", "上海", "mnt", "books")


class Part:
    """A part of a pattern: `{n:1-60}` draws with `1-60`."""

    def __init__(self, draw: Callable[[str], str]) -> None:
        self._draw = draw

    @override
    def __format__(self, spec: str) -> str:
        return self._draw(spec)


class Parts(dict[str, Part]):
    """Parts by the names that patterns have for them."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        draws: dict[str, Callable[[str], str]] = {
            "n": self._n,
            "x": self._x,
            "hex": lambda spec: f"{dice.getrandbits(4 * int(spec)):0{spec}x}",
            "uuid": lambda _: str(uuid.UUID(int=dice.getrandbits(128))),
            "token": self._token,
            "ip": self._ip,
            "host": self._host,
            "url": self._url,
            "path": self._path,
            "name": lambda _: dice.choice(_NAMES),
            "moment": self._moment,
            "clock": self._clock,
            "shape": self._shape,
            "pick": lambda spec: dice.choice(spec.split("|")),
        }
        super().__init__({name: Part(draw) for name, draw in draws.items()})

    def _n(self, spec: str = "") -> str:
        low, _, high = (spec or "0-99999").partition("-")
        return str(self._dice.randint(int(low), int(high)))

    def _x(self, spec: str) -> str:
        return f"{self._dice.uniform(0, float(spec or 999)):.{self._dice.randint(1, 3)}f}"

    def _token(self, spec: str) -> str:
        return "".join(self._dice.choices(string.ascii_letters + string.digits, k=int(spec)))

    def _ip(self, _: str) -> str:
        if self._dice.random() < 0.2:
            return f"2001:db8:{self._dice.randint(1, 999):x}::{self._dice.randint(1, 9999):x}"
        return ".".join(self._n("1-254") for _ in range(4))

    def _host(self, _: str) -> str:
        ending = self._dice.choice(("example.com", "internal", "svc.cluster.local", "tts.cn"))
        return f"{self._dice.choice(('tts', 'api', 'speech-gw', 'node'))}{self._n('1-40')}.{ending}"

    def _url(self, _: str) -> str:
        scheme = self._dice.choice(("https", "http", "wss"))
        query = f"?reqid={self._dice.getrandbits(64):016x}&n={self._n()}"
        told = query if self._dice.random() < 0.5 else ""
        place = f"{self._host('')}:{self._n('80-9999')}/v{self._n('1-3')}"
        return f"{scheme}://{place}/{self._dice.choice(('tts', 'ws'))}{told}"

    def _path(self, spec: str) -> str:
        """An absolute path of a file, at times with Chinese names."""
        folders = "/".join(self._dice.choices(_DIRS, k=self._dice.randint(1, 4)))
        names = (
            f"seg_{self._dice.randint(0, 999):04d}",
            f"{self._dice.getrandbits(48):012x}",
            self._dice.choice(_NAMES),
            f"第{self._n('1-80')}章",
        )
        return f"/{folders}/{self._dice.choice(names)}.{spec or self._dice.choice(_ENDINGS)}"

    def _moment(self, _: str) -> str:
        day = f"2026-{self._dice.randint(1, 12):02d}-{self._dice.randint(1, 28):02d}"
        at = self._clock("")
        forms = (f"{day}T{at}Z", f"{day} {at}.{self._n('100-999')}", f"{day}T{at}+08:00")
        return self._dice.choice(forms)

    def _clock(self, _: str) -> str:
        hour, minute, second = (self._dice.randint(0, most) for most in (23, 59, 59))
        return f"{hour:02d}:{minute:02d}:{second:02d}"

    def _shape(self, _: str) -> str:
        count = self._dice.randint(1, 3)
        return ", ".join(self._n() for _ in range(count)) + ("," if count == 1 else "")
