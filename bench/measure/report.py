"""Figures of a bench as a table for people or one JSON object a line for programs."""

from __future__ import annotations

import argparse
import json
import operator
import sys
from dataclasses import dataclass

COMPARISONS = {"<": operator.lt, "<=": operator.le, "==": operator.eq, ">=": operator.ge, ">": operator.gt}
HEADINGS = ("case", "metric", "value", "peer", "peer value", "goal", "holds")
NUMBERS = (2, 4)
"""Columns that are aligned to the right."""


@dataclass(frozen=True)
class Figure:
    """One measured figure."""

    case: str
    metric: str
    """Name with its unit, such as `cpu_ms_per_frame`."""
    value: float | None
    """None: it could not be measured, and no goal holds."""
    peer: str | None = None
    """Whose figure of the same kind `peer_value` is."""
    peer_value: float | None = None
    goal: str | None = None
    """A comparison with a number, such as `<= 6`."""

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        comparison, bound = self.goal.split()
        return self.value is not None and COMPARISONS[comparison](self.value, float(bound))

    def to_json(self, bench: str) -> str:
        """The figure as a JSON object in one line; `peer` and `goal` only where there are any."""
        fields = {"bench": bench, "case": self.case, "metric": self.metric, "value": _rounded(self.value)}
        if self.peer_value is not None:
            fields |= {"peer": self.peer, "peer_value": self.peer_value}
        if self.goal is not None:
            fields |= {"goal": self.goal, "holds": self.holds}
        return json.dumps(fields)

    def _cells(self) -> tuple[str, ...]:
        has_peer = self.peer_value is not None
        return (self.case, self.metric, format_number(self.value), self.peer or "" if has_peer else "",
                format_number(self.peer_value) if has_peer else "", self.goal or "",
                {None: "", True: "yes", False: "NO"}[self.holds])


class Report:
    """Prints figures as they are added (`json_lines`) or as tables."""

    def __init__(self, bench: str, *, json_lines: bool) -> None:
        """`bench` is the bench's name."""
        self.figures: list[Figure] = []
        self._bench = bench
        self._json_lines = json_lines

    def say(self, text: str) -> None:
        """Print what is no figure: with JSON to standard error, for standard output has only objects then."""
        print(text, file=sys.stderr if self._json_lines else sys.stdout, flush=True)

    def add(self, figures: list[Figure]) -> None:
        """Print figures that belong together."""
        self.figures += figures
        lines = [figure.to_json(self._bench) for figure in figures] if self._json_lines else table(figures)
        print("\n".join(lines), flush=True)

    def close(self) -> None:
        """Say how many goals hold, and which do not."""
        goals = [figure for figure in self.figures if figure.goal is not None]
        failed = [figure for figure in goals if not figure.holds]
        self.say(f"{len(goals) - len(failed)} of {len(goals)} goals hold.")
        for figure in failed:
            self.say(f"GOAL MISSED: {figure.case}: {figure.metric} is {format_number(figure.value)}, "
                     f"the goal is {figure.goal}.")


def table(figures: list[Figure]) -> list[str]:
    """The lines of a table with headings; columns that are empty all over are left out."""
    rows = [HEADINGS, *(figure._cells() for figure in figures)]
    used = [i for i in range(len(HEADINGS)) if any(row[i] for row in rows[1:])]
    widths = {i: max(len(row[i]) for row in rows) for i in used}
    rows.insert(1, tuple("-" * widths.get(i, 0) for i in range(len(HEADINGS))))
    return ["  ".join(row[i].rjust(widths[i]) if i in NUMBERS else row[i].ljust(widths[i]) for i in used).rstrip()
            for row in rows]


def format_number(value: float | None) -> str:
    """A number with three digits or more that count."""
    if value is None:
        return "none"
    if isinstance(value, int):
        return f"{value:,}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser of the options that every bench has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead of tables")
    return parser


def _rounded(value: float | None) -> float | None:
    return round(value, 4) if isinstance(value, float) else value
