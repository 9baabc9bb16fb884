"""Loudness after BS.1770, against the standard's own numbers."""

import numpy as np
import pytest

from app.speech.loudness import SILENCE_LUFS, LoudnessMeter, Samples, k_filter


def _lufs(samples: Samples, sample_rate: int, step: int = 1 << 30) -> float:
    meter = LoudnessMeter(sample_rate)
    for start in range(0, len(samples), step):
        meter.feed(samples[start : start + step])
    return meter.integrated_lufs()


def _sine(seconds: float, sample_rate: int, dbfs: float, hertz: float = 997.0) -> Samples:
    time_s = np.arange(round(seconds * sample_rate)) / sample_rate
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * time_s)
    return wave.astype(np.float32)


def test_filter_is_that_of_the_standard_at_48_khz() -> None:
    """Tables 1 and 2 of ITU-R BS.1770-4."""
    (shelf_b, shelf_a), (high_b, high_a) = k_filter(48_000)
    assert shelf_b == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285))
    assert shelf_a == pytest.approx((1.0, -1.69065929318241, 0.73248077421585))
    assert high_b == (1.0, -2.0, 1.0)
    assert high_a == pytest.approx((1.0, -1.99004745483398, 0.99007225036621))


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_full_scale_sine_has_minus_3_lufs(sample_rate: int) -> None:
    """BS.1770: a 997 Hz sine at 0 dBFS in one channel reads -3.01, at every rate."""
    assert _lufs(_sine(4, sample_rate, 0.0), sample_rate) == pytest.approx(-3.01, abs=0.05)


def test_quiet_parts_are_gated() -> None:
    """EBU Tech 3341, case 3: 10 s at -36, 60 s at -23, 10 s at -36 reads -23 (here less 3 dB)."""
    rate = 22_050
    quiet, loud = _sine(10, rate, -36.0, 1000.0), _sine(60, rate, -23.0, 1000.0)
    assert _lufs(np.concatenate([quiet, loud, quiet]), rate) == pytest.approx(-26.0, abs=0.1)


def test_pieces_change_nothing() -> None:
    """Fed in blocks of any size, the number is the same."""
    chance = np.random.default_rng(1)
    samples = (chance.standard_normal(22_050 * 3) * 0.1).astype(np.float32)
    whole = _lufs(samples, 22_050)
    for step in (100, 2205, 33_333):
        assert _lufs(samples, 22_050, step) == pytest.approx(whole, abs=1e-6)


def test_low_rumble_counts_less() -> None:
    """The K filter takes 20 Hz down by more than 10 dB."""
    assert _lufs(_sine(4, 22_050, -6.0, 20.0), 22_050) < _lufs(_sine(4, 22_050, -16.0), 22_050)


def test_silence_and_short_sounds_have_a_number() -> None:
    """Nothing is `SILENCE_LUFS`; a sound below 0.4 s is measured with silence around it."""
    assert _lufs(np.zeros(22_050, dtype=np.float32), 22_050) == SILENCE_LUFS
    assert LoudnessMeter(22_050).integrated_lufs() == SILENCE_LUFS
    assert -20 < _lufs(_sine(0.2, 22_050, -6.0), 22_050) < -9
