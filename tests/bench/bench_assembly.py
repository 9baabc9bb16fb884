"""Proves that assembly's memory does not grow: ten hours of tone into one file, within 200 MB.

    python -m tests.bench.bench_assembly [HOURS] [FORMAT]

Prints the resident memory before, its highest point, and the time as a ratio to the audio's length.
Exits with 1 where the peak is above the limit.
"""

import io
import resource
import sys
import tempfile
from functools import partial
from pathlib import Path

from app.clock import monotonic_s
from app.domain.audio import FormatName, audio_format
from app.speech.assembly import assemble
from app.speech.joining import Part
from app.speech.tone import create
from app.speech.validation import check_file
from tests.support.speech import SAMPLE_RATE, speak

LIMIT_MB = 200
_SEGMENT = "The Rabbit started violently, dropped the white kid gloves and the fan. " * 5


def parts(hours: float) -> list[Part]:
    """So many hours of one spoken segment, which is not kept in memory more than once."""
    made = speak(create({}), _SEGMENT)
    count = round(hours * 3_600_000 / made.duration_ms)
    opened = partial(io.BytesIO, made.pcm)
    part = Part(open=opened, duration_ms=round(made.duration_ms), boundary="sentence")
    return [part] * count


def peak_mb() -> float:
    """Highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(hours: float, fmt: FormatName) -> int:
    """Assembles and checks; the exit code."""
    before_mb = peak_mb()
    began_s = monotonic_s()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{audio_format(fmt).extension}"
        made = assemble(parts(hours), sample_rate=SAMPLE_RATE, out=path, fmt=fmt, title="bench")
        took_s = monotonic_s() - began_s
        check = check_file(path, fmt, made.duration_ms)
    print(
        f"{fmt} {made.duration_ms / 3_600_000:.2f} h, {made.bytes / 1e6:.0f} MB, "
        f"{took_s / (made.duration_ms / 1000):.4f} of its length, "
        f"{made.loudness_lufs} LUFS, valid {check.is_valid}; "
        f"memory {before_mb:.0f} MB before, {peak_mb():.0f} MB at most (limit {LIMIT_MB})"
    )
    return 0 if check.is_valid and peak_mb() < LIMIT_MB else 1


if __name__ == "__main__":
    hours_, format_ = (*sys.argv[1:], *("10", "mp3")[len(sys.argv) - 1 :])
    sys.exit(main(float(hours_), audio_format(format_).name))
