"""Loudness of mono audio after ITU-R BS.1770-4, streaming, on numpy alone.

The K filter's two biquads are applied as one finite response by FFT (overlap-save): after 0.1 s it
has died away to below 1e-9, and numpy has no recursive filter.
"""

import math
from array import array
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

#: LUFS of audio that has no block above the absolute gate.
SILENCE_LUFS = -70.0

_FFT_FRAMES = 1 << 15
_RESPONSE_S = 0.1
_HOP_S = 0.1
#: Hops in one gating block of 400 ms; blocks overlap by 75 %.
_BLOCK_HOPS = 4
_OFFSET_DB = -0.691
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0


class LoudnessMeter:
    """Takes audio block by block; holds a tenth of a second of it, and one number per 0.1 s.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._response = _spectrum(sample_rate)
        self._history = np.zeros(_response_frames(sample_rate) - 1, dtype=np.float64)
        self._hop_frames = round(sample_rate * _HOP_S)
        self._rest = np.zeros(0, dtype=np.float64)
        self._hop_energies = array("d")

    def feed(self, samples: Samples) -> None:
        """The next samples, full scale 1."""
        step = _FFT_FRAMES - len(self._history)
        for start in range(0, len(samples), step):
            self._collect(self._filter(samples[start : start + step]))

    def integrated_lufs(self) -> float:
        """Gated loudness of everything so far; `SILENCE_LUFS` where nothing passes the gate."""
        power = self._block_powers()
        loud = power[_lufs(power) > _ABSOLUTE_GATE_LUFS]
        if not len(loud):
            return SILENCE_LUFS
        gate = _lufs(loud.mean(keepdims=True))[0] + _RELATIVE_GATE_LU
        return float(_lufs(loud[_lufs(loud) > gate].mean(keepdims=True))[0])

    def _filter(self, samples: Samples) -> NDArray[np.float64]:
        window = np.concatenate([self._history, samples])
        filtered = np.fft.irfft(np.fft.rfft(window, _FFT_FRAMES) * self._response, _FFT_FRAMES)
        past = len(self._history)
        self._history = window[len(window) - past :]
        return filtered[past : len(window)]

    def _collect(self, filtered: NDArray[np.float64]) -> None:
        energy = np.concatenate([self._rest, filtered**2])
        whole = len(energy) // self._hop_frames * self._hop_frames
        hops = energy[:whole].reshape(-1, self._hop_frames).sum(axis=1)
        self._hop_energies.extend(hops.tolist())
        self._rest = energy[whole:]

    def _block_powers(self) -> NDArray[np.float64]:
        """Mean squares of the gating blocks; audio below 0.4 s is one, filled with silence."""
        hops = np.array(self._hop_energies)
        frames = self._hop_frames * _BLOCK_HOPS
        if len(hops) < _BLOCK_HOPS:
            return np.array([(hops.sum() + self._rest.sum()) / frames])
        sums = np.convolve(hops, np.ones(_BLOCK_HOPS), mode="valid")
        return np.asarray(sums / frames, dtype=np.float64)


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return _OFFSET_DB + 10 * np.log10(np.maximum(power, 1e-12))


def _response_frames(sample_rate: int) -> int:
    return round(sample_rate * _RESPONSE_S)


@lru_cache(maxsize=8)
def _spectrum(sample_rate: int) -> NDArray[np.complex128]:
    """The K filter's transfer function at the FFT's frequencies."""
    response = np.array(list(_impulse_response(sample_rate)))
    return np.asarray(np.fft.rfft(response, _FFT_FRAMES))


def _impulse_response(sample_rate: int) -> Iterator[float]:
    signal = iter([1.0] + [0.0] * (_response_frames(sample_rate) - 1))
    shelf, high_pass = k_filter(sample_rate)
    return _biquad(_biquad(signal, *shelf), *high_pass)


def _biquad(signal: Iterator[float], b: tuple[float, ...], a: tuple[float, ...]) -> Iterator[float]:
    """Direct form II, transposed."""
    first = second = 0.0
    for sample in signal:
        out = b[0] * sample + first
        first = b[1] * sample - a[1] * out + second
        second = b[2] * sample - a[2] * out
        yield out


Biquad = tuple[tuple[float, ...], tuple[float, ...]]


def k_filter(sample_rate: int) -> tuple[Biquad, Biquad]:
    """Coefficients (b, a) of BS.1770's two stages, for any rate; at 48 kHz those of its tables."""
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / q + k * k
    shelf = (
        (
            (high + band * k / q + k * k) / scale,
            2 * (k * k - high) / scale,
            (high - band * k / q + k * k) / scale,
        ),
        (1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale),
    )
    k = math.tan(math.pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    scale = 1 + k / q + k * k
    high_pass = (
        (1.0, -2.0, 1.0),
        (1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale),
    )
    return shelf, high_pass
