"""Bars with their margin of error as inline SVG; colours come from the page's style sheet. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, LABEL, VALUE, ROW = 760, 210, 150, 26
"""Width of a chart, of the names at its left and of the numbers at its right; height of a row."""

_LONGEST = 30
_FOOT = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure; ``value`` is None where it is not published, ``margin`` is half the width of its 95 % interval."""

    label: str
    value: int | None
    margin: int


def bars(title: str, shown: Sequence[Bar], *, hidden: str) -> Markup:
    """One bar for each figure, with a whisker from the lower to the upper end of its interval.

    Args:
        title: what is counted.
        shown: in the order of the chart.
        hidden: words for a figure that is not published.
    """
    largest = scale(max((bar.value + bar.margin for bar in shown if bar.value is not None), default=0))
    height = len(shown) * ROW + _FOOT
    parts = [_line(largest, step, height - _FOOT) for step in range(5)]
    for position, bar in enumerate(shown):
        parts.append(_row(bar, position * ROW, largest, hidden))
    said = "; ".join(f"{bar.label}: {_words(bar, hidden)}" for bar in shown)
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" aria-label="{title}. {said}.">{body}</svg>'
    ).format(width=WIDTH, height=height, title=title, said=said, body=Markup("").join(parts))


def scale(largest: int) -> int:
    """The end of the axis: the first of 4, 8, 20, 40, 80, 200, … that is not below ``largest``."""
    end = 4
    for factor in (2, 2.5, 2) * 12:
        if end >= largest:
            break
        end = int(end * factor)
    return end


def _row(bar: Bar, top: int, largest: int, hidden: str) -> Markup:
    short = bar.label if len(bar.label) <= _LONGEST else f"{bar.label[: _LONGEST - 1]}…"
    label = Markup('<text class="label" x="{x}" y="{y}" text-anchor="end">{text}</text>').format(
        x=LABEL - 10, y=top + 17, text=short
    )
    text = Markup('<text class="{kind}" x="{x}" y="{y}" text-anchor="end">{text}</text>').format(
        kind="hidden" if bar.value is None else "value", x=WIDTH, y=top + 17, text=_words(bar, hidden)
    )
    if bar.value is None:
        return label + text
    rectangle = Markup('<rect class="bar" x="{x}" y="{y}" width="{w}" height="14"/>').format(
        x=LABEL, y=top + 6, w=_number(_at(bar.value, largest) - LABEL)
    )
    low, high = _at(max(0, bar.value - bar.margin), largest), _at(bar.value + bar.margin, largest)
    whisker = Markup('<path class="margin" d="M{low} {y}v6m0 -3H{high}m0 -3v6"/>').format(
        low=_number(low), high=_number(high), y=top + 10
    )
    return label + rectangle + (whisker if bar.margin else Markup("")) + text


def _words(bar: Bar, hidden: str) -> str:
    if bar.value is None:
        return hidden
    return f"{bar.value:,} ± {bar.margin:,}" if bar.margin else f"{bar.value:,}"


def _line(largest: int, step: int, bottom: int) -> Markup:
    x = _number(_at(largest * step // 4, largest))
    return Markup(
        '<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{bottom}"/>'
        '<text class="tick" x="{x}" y="{y}" text-anchor="middle">{text}</text>'
    ).format(x=x, bottom=bottom, y=bottom + 16, text=f"{largest * step // 4:,}")


def _at(value: int, largest: int) -> float:
    return LABEL + value / largest * (WIDTH - LABEL - VALUE)


def _number(value: float) -> str:
    """Two digits, the same on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
