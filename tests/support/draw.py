"""Draws the state machine out of its table, as a Mermaid diagram."""

from app.domain.task import FINAL, TRANSITIONS, Status


def drawing() -> str:
    """The diagram: one arrow for each pair of states, named by the moves that take it."""
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (status, move), after in TRANSITIONS.items():
        arrows.setdefault((status, after), []).append(str(move))
    lines = [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> pending: submit",
        *(
            f"    {before} --> {after}: {', '.join(moves)}"
            for (before, after), moves in arrows.items()
        ),
        *(f"    {status} --> [*]" for status in Status if status in FINAL),
        "```",
    ]
    return "\n".join(lines)
