"""The own frames that an exception passed: where it came up in this product, without lines."""

from types import TracebackType
from typing import Final

from app.domain.errors import DatabaseBusyError, DeadlineExceededError

#: Frames that are kept, the innermost ones.
MAX_FRAMES: Final = 3
MAX_CHARS: Final = 400
_OWN: Final = "app."
#: What every failure passes on its way out: it tells none from another.
_BORDERS: Final = (
    "app.worker.",
    "app.service.execute",
    "app.service.attempt",
    "app.store.database",
    "app.service.tally",
)
#: Names of code objects that come and go with the version of Python, or have no name.
_NAMELESS: Final = frozenset({"<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
#: What may strike anywhere: the place is chance.
_ANYWHERE: Final = (DeadlineExceededError, MemoryError, DatabaseBusyError)


def own_frames(error: BaseException) -> tuple[str, ...]:
    """Up to three frames as `module:function`, the innermost first; none where the place is chance.

    A wrapper's frames are those of the wrapper: it was made where the cause was understood.
    """
    if isinstance(error, _ANYWHERE):
        return ()
    found: list[str] = []
    for name in reversed(_names(error.__traceback__)):
        if name not in found:
            found.append(name)
    kept = tuple(found[:MAX_FRAMES])
    while sum(len(name) + 2 for name in kept) > MAX_CHARS:
        kept = kept[:-1]
    return kept


def _names(trace: TracebackType | None) -> list[str]:
    names = []
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        function = trace.tb_frame.f_code.co_qualname.replace("<locals>.", "")
        is_own = module.startswith(_OWN) and not module.startswith(_BORDERS)
        if is_own and function.rpartition(".")[2] not in _NAMELESS:
            names.append(f"{module}:{function}")
        trace = trace.tb_next
    return names
