"""Small charts as inline SVG. Colours and fonts come from the style sheet of the page, by class. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from markupsafe import Markup

WIDTH = 720
LABEL = 190
"""Room for the names at the left of a bar chart."""
VALUE = 150
"""Room for the numbers at the right of a bar chart."""
ROW = 30
BAR = 14
_LONGEST_LABEL = 29
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """What became of the due records of one system; ``lost`` is what is not accounted for."""

    label: str
    gone: int = 0
    held: int = 0
    left: int = 0
    lost: int = 0

    @property
    def due(self) -> int:
        """All of it."""
        return self.gone + self.held + self.left + self.lost


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a collection that a rule was to remove, in percent, beside its budget."""

    label: str
    percent: float
    budget: int


@dataclass(frozen=True, slots=True)
class Column:
    """One night."""

    at: datetime
    due: int
    gone: int


def ticks(maximum: float, most: int = 5) -> list[int]:
    """Round values from 0 to the first one at or above ``maximum``, evenly spaced, at most ``most`` steps."""
    if maximum <= 0:
        return [0, 1]
    steps = (factor * 10**power for power in count() for factor in _STEPS)
    step = next(step for step in steps if step * most >= maximum)
    return list(range(0, int(-(-maximum // step)) * step + 1, step))


def outcome_chart(bars: Sequence[Bar]) -> Markup:
    """Due records per system: gone, held, left and not accounted for, one bar each."""
    scale = ticks(max((bar.due for bar in bars), default=0))
    height = len(bars) * ROW + 24
    parts = [_grid(scale, height - 24, lambda value: f"{value:,}")]
    for position, bar in enumerate(bars):
        top, left = position * ROW, 0.0
        parts.append(_label(bar.label, top))
        for kind, value in (("gone", bar.gone), ("held", bar.held), ("left", bar.left), ("lost", bar.lost)):
            width = _length(value, scale)
            parts.append(_rect(kind, LABEL + left, top + 5, width, BAR, f"{bar.label}: {value:,} {kind}"))
            left += width
        parts.append(_value(f"{bar.gone:,} of {bar.due:,}", top))
    summary = "; ".join(
        f"{bar.label}: {bar.gone:,} gone, {bar.held:,} held, {bar.left:,} left, {bar.lost:,} not accounted for"
        for bar in bars
    )
    return _svg("Due records by system", summary, height, parts)


def budget_chart(shares: Sequence[Share]) -> Markup:
    """Share of the collection that was to go, against the budget of the rule (the upright stroke)."""
    scale = ticks(max((max(share.percent, share.budget) for share in shares), default=0))
    height = len(shares) * ROW + 24
    parts = [_grid(scale, height - 24, lambda value: f"{value} %")]
    for position, share in enumerate(shares):
        top = position * ROW
        kind = "left" if share.percent > share.budget else "gone"
        budget = LABEL + _length(share.budget, scale)
        parts += [
            _label(share.label, top),
            _rect(kind, LABEL, top + 5, _length(share.percent, scale), BAR, f"{share.label}: {percent(share.percent)}"),
            Markup('<line class="budget" x1="{x}" x2="{x}" y1="{y1}" y2="{y2}"/>').format(
                x=_number(budget), y1=top + 2, y2=top + BAR + 8
            ),
            _value(f"{percent(share.percent)} of {share.budget} %", top),
        ]
    summary = "; ".join(f"{share.label}: {percent(share.percent)}, budget {share.budget} %" for share in shares)
    return _svg("Share of the collection against the budget of each rule", summary, height, parts)


def trend_chart(columns: Sequence[Column]) -> Markup:
    """Due and gone over the last nights, the newest at the right."""
    scale = ticks(max((max(column.due, column.gone) for column in columns), default=0), most=4)
    base, left, right = 160, 60, WIDTH - 10
    slot = (right - left) / max(1, len(columns))
    width = min(22.0, slot * 0.62)
    parts = [_levels(scale, base, left, right)]
    every = -(-len(columns) // 8)
    for position, column in enumerate(columns):
        middle = left + slot * (position + 0.5)
        note = f"{column.at:%Y-%m-%d}: {column.due:,} due, {column.gone:,} gone"
        for kind, value, wide in (("due", column.due, width), ("gone", column.gone, width * 0.6)):
            tall = value / scale[-1] * (base - 12)
            parts.append(_rect(kind, middle - wide / 2, base - tall, wide, tall, note))
        if (len(columns) - 1 - position) % every == 0:
            parts.append(_text("tick", middle, base + 18, f"{column.at:%d %b}", "middle"))
    summary = "; ".join(f"{column.at:%Y-%m-%d}: {column.due:,} due, {column.gone:,} gone" for column in columns)
    return _svg("Due and gone records of the last nights", summary, base + 26, parts)


def percent(value: float) -> str:
    """A share as people read it: one digit below ten, and never 0 for something."""
    if 0 < value < 0.1:
        return "< 0.1 %"
    return f"{value:.1f} %" if value < 10 else f"{value:.0f} %"


def _length(value: float, scale: Sequence[int]) -> float:
    """Length of a bar; something is never invisible."""
    return max(1.5, value / scale[-1] * (WIDTH - LABEL - VALUE)) if value else 0.0


def _grid(scale: Sequence[int], bottom: int, name: Callable[[int], str]) -> Markup:
    lines = []
    for value in scale:
        x = LABEL + value / scale[-1] * (WIDTH - LABEL - VALUE)
        lines.append(
            Markup('<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{y}"/>').format(x=_number(x), y=bottom)
            + _text("tick", x, bottom + 16, name(value), "middle")
        )
    return Markup("").join(lines)


def _levels(scale: Sequence[int], base: int, left: int, right: int) -> Markup:
    lines = []
    for value in scale:
        y = base - value / scale[-1] * (base - 12)
        lines.append(
            Markup('<line class="grid" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>').format(a=left, b=right, y=_number(y))
            + _text("tick", left - 8, y + 4, f"{value:,}", "end")
        )
    return Markup("").join(lines)


def _label(text: str, top: int) -> Markup:
    short = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1].rstrip() + "…"
    return _text("label", LABEL - 10, top + 16, short, "end")


def _value(text: str, top: int) -> Markup:
    return _text("value", WIDTH, top + 16, text, "end")


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>').format(
        kind=kind, x=_number(x), y=_number(y), anchor=anchor, text=text
    )


def _rect(kind: str, x: float, y: float, width: float, height: float, note: str) -> Markup:
    if width <= 0 or height <= 0:
        return Markup("")
    return Markup('<rect class="{kind}" x="{x}" y="{y}" width="{w}" height="{h}"><title>{note}</title></rect>').format(
        kind=kind, x=_number(x), y=_number(y), w=_number(width), h=_number(height), note=note
    )


def _svg(title: str, summary: str, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" aria-label="{title}. {summary}.">{body}</svg>'
    ).format(width=WIDTH, height=height, title=title, summary=summary, body=Markup("").join(parts))


def _number(value: float) -> str:
    """Two digits, the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
