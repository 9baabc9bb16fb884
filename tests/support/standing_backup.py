"""`voxtrace export` or `import` that stands still at a step, to be killed there.

python -m tests.support.standing_backup STEP WHAT export|import …

It prints "standing" when it has come to the step, such as `load task`, and goes no further.
"""

import sys
import threading

from app.cli import backup
from app.cli.main import main
from app.service.backup.progress import Progress


def _stand_at(step: str, what: str) -> None:
    """Stands still where the progress is told of this step."""

    def stand(_told: backup.Told, progress: Progress) -> None:
        if (progress.step, progress.what) == (step, what):
            print("standing", flush=True)
            threading.Event().wait()

    setattr(backup.Told, "__call__", stand)  # noqa: B010 - in place of a method


if __name__ == "__main__":
    _stand_at(sys.argv.pop(1), sys.argv.pop(1))
    main()
