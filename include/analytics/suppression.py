"""Which cells of exact tables may be shown together, and the audit that tries to work out those that are not.

The reader of a table is taken to know every shown figure and the lists of keys, that no figure is negative, and that
everyone who is counted had an event. What such a reader can work out about a suppressed cell are the least and the
greatest value that fit, which linear programming finds (Fischetti and Salazar 2001). A cell is exposed if the two are
closer than its width of protection. The audit takes two readers: one who believes that nobody is in two cells of a
table, so that numbers of users add up, and one who only knows that a union has no more users than its parts together
and no fewer than each.

Cells are sets of atoms: the finest groups that any cell of any table tells apart. A total of one table that equals a
total of another is thus one and the same, and tables of a bundle are audited together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import highspy
import numpy as np
from numpy.typing import NDArray

from include.errors import Inconsistent

Numbers: TypeAlias = NDArray[np.float64]
Family: TypeAlias = tuple[int, tuple[int, ...]]
"""A cell and those that it is cut into, along one dimension."""
Columns: TypeAlias = NDArray[np.int64]
_NO_COLUMNS: Columns = np.zeros(0, dtype=np.int64)
_BOUNDLESS = (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible)
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class System:
    """All cells of the tables that are published together.

    The first measure is always the number of users. All numbers are exact and secret.

    Args:
        members: which atoms (columns) make up which cell (rows).
        figures: of each atom (columns) by measure (rows); users who are in several atoms count in each.
        users: of each cell, each user once.
        widths: least width of the interval that a reader may be left with, of each cell (rows) by measure (columns).
        each: least that a user of an atom adds to each measure: 1 for users and events, 0 for sums.
        families: cells that are cut into others, each with its parts.
    """

    members: NDArray[np.bool_]
    figures: Numbers
    users: Numbers
    widths: Numbers
    each: tuple[int, ...]
    families: tuple[Family, ...]


def suppressed(system: System, primary: Collection[int]) -> frozenset[int]:
    """The cells to suppress: those that may not be shown, and as many others as the audit asks for.

    Each round hides companions of exposed cells; it ends at the latest when nothing is shown.
    """
    hidden = set(primary)
    while cells := exposed(system, hidden):
        weak = [family for family in system.families if _is_weak(system, family, cells, hidden)]
        hidden |= _companions(system, weak, hidden) or {_relative(system, cells, hidden)}
    return frozenset(hidden)


def _companions(system: System, families: Sequence[Family], hidden: Collection[int]) -> set[int]:
    """A shown part of each family, or its total: one that helps many families, and small.

    Of families that share cells only the first is helped, the audit sees whether the others need more.
    """
    companions: set[int] = set()
    helped: set[int] = set()
    uses = Counter(cell for whole, parts in families for cell in (whole, *parts))
    for whole, parts in families:
        if not helped & {whole, *parts}:
            shown = [part for part in parts if part not in hidden] or [whole]
            companions.add(min(shown, key=lambda cell: (-uses[cell], system.users[cell], cell)))
            helped |= {whole, *parts}
    return companions


def _relative(system: System, cells: Collection[int], hidden: Collection[int]) -> int:
    """The smallest shown cell of the families of exposed cells, or else of all."""
    related = {one for whole, parts in system.families if {whole, *parts} & set(cells) for one in (whole, *parts)}
    shown = related - set(hidden) or set(range(len(system.users))) - set(hidden)
    return min(shown, key=lambda cell: (system.users[cell], cell))


def _is_weak(system: System, family: Family, cells: Collection[int], hidden: Collection[int]) -> bool:
    """Whether an exposed part is alone, or among hidden ones that are too small together, under a total that shows."""
    whole, parts = family
    exposed_parts = [part for part in parts if part in cells]
    if whole in hidden or not exposed_parts:
        return False
    among = [part for part in parts if part in hidden]
    together = system.members[among].any(axis=0) @ system.figures.T
    return len(among) == 1 or bool((together < system.widths[exposed_parts].max(axis=0)).any())


def exposed(system: System, hidden: Collection[int]) -> list[int]:
    """The hidden cells that a reader of the others can work out more closely than allowed."""
    found: set[int] = set()
    for reader in (_AddingUp(system, hidden), _Overlapping(system, hidden)):
        for cell in set(hidden) - found:
            measures = enumerate(system.widths[cell])
            if any(reader.interval(cell, measure) < width - _CLOSE for measure, width in measures):
                found.add(cell)
    return sorted(found)


class _Reader:
    """The linear programme of a reader: a variable for each thing not known, a row for each thing that is."""

    def __init__(self, system: System, hidden: Collection[int]) -> None:
        self.system = system
        self.shown = [cell for cell in range(len(system.users)) if cell not in hidden]
        self.atoms = system.figures.shape[1]
        self._solver: Any = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._size = 0

    def add(self, variables: int) -> None:
        """More variables, from zero upwards."""
        self._solver.addVars(variables, np.zeros(variables), np.full(variables, highspy.kHighsInf))
        self._size += variables

    def row(self, plus: Columns, minus: Columns, least: float, most: float = highspy.kHighsInf) -> None:
        """The sum of some variables less that of others lies between two numbers."""
        columns = np.concatenate([plus, minus]).astype(np.int32)
        signs = np.concatenate([np.ones(len(plus)), -np.ones(len(minus))])
        self._solver.addRow(least, most, len(columns), columns, signs)

    def columns(self, cell: int, measure: int) -> Columns:
        """The variables whose sum is a figure of a cell."""
        raise KeyError(cell, measure)

    def interval(self, cell: int, measure: int) -> float:
        """Width of the interval in which a figure can lie."""
        everything = np.arange(self._size, dtype=np.int32)
        costs = np.zeros(self._size)
        costs[self.columns(cell, measure)] = 1.0
        self._solver.changeColsCost(self._size, everything, costs)
        return self._solve(highspy.ObjSense.kMaximize) - self._solve(highspy.ObjSense.kMinimize)

    def _solve(self, sense: highspy.ObjSense) -> float:
        self._solver.changeObjectiveSense(sense)
        self._solver.run()
        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return float(self._solver.getObjectiveValue())
        if sense == highspy.ObjSense.kMaximize and status in _BOUNDLESS:
            return float(highspy.kHighsInf)
        raise Inconsistent(
            "analytics", "audit the suppressed cells", f"The solver ended with {status.name}: report it."
        )


class _AddingUp(_Reader):
    """Everything is a sum over atoms, numbers of users too."""

    def __init__(self, system: System, hidden: Collection[int]) -> None:
        super().__init__(system, hidden)
        self.add(system.figures.size)
        for cell, measure in product(self.shown, range(len(system.each))):
            total = float(system.figures[measure, system.members[cell]].sum())
            self.row(self.columns(cell, measure), _NO_COLUMNS, total, total)
        for measure, least in enumerate(system.each):
            for atom in range(self.atoms if measure and least else 0):
                self.row(np.array([atom + measure * self.atoms]), np.array([atom]), 0.0)

    def columns(self, cell: int, measure: int) -> Columns:
        found: Columns = np.flatnonzero(self.system.members[cell]) + measure * self.atoms
        return found


class _Overlapping(_Reader):
    """The users of a cell are no more than those of its parts together, and no fewer than those of each."""

    def __init__(self, system: System, hidden: Collection[int]) -> None:
        super().__init__(system, hidden)
        self.add(len(system.users) + system.figures[1:].size)
        for cell in self.shown:
            users = float(system.users[cell])
            self.row(self.columns(cell, 0), _NO_COLUMNS, users, users)
            for measure in range(1, len(system.each)):
                total = float(system.figures[measure, system.members[cell]].sum())
                self.row(self.columns(cell, measure), _NO_COLUMNS, total, total)
        for whole, parts in system.families:
            self.row(np.array(parts), np.array([whole]), 0.0)
            for part in parts:
                self.row(np.array([whole]), np.array([part]), 0.0)
        for cell, (measure, least) in product(range(len(system.users)), enumerate(system.each)):
            if measure and least:
                self.row(self.columns(cell, measure), self.columns(cell, 0), 0.0)

    def columns(self, cell: int, measure: int) -> Columns:
        if measure == 0:
            return np.array([cell])
        start = len(self.system.users) + (measure - 1) * self.atoms
        found: Columns = np.flatnonzero(self.system.members[cell]) + start
        return found
