"""Batches of rows from a file: the columns a kind of import knows, and what became of each row."""

from dataclasses import dataclass, field

from onhand.values.errors import BadValue


@dataclass(frozen=True, slots=True)
class Column:
    """One column an import understands. `example` is a cell as people would type it."""

    name: str
    description: str
    example: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why one row was not taken. `row` counts from `first_row` of the batch; `remedy` says what to change."""

    row: int
    column: str
    value: str
    code: str
    message: str
    remedy: str

    @classmethod
    def of(cls, row: int, value: str, bad: BadValue) -> "RowProblem":
        """The problem of a cell that could not be read."""
        return cls(row, bad.field, value[:100], "invalid", bad.message, bad.remedy)


@dataclass(slots=True)
class BatchResult:
    """What a batch did: rows created, changed, found equal already, and refused with a reason each."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: list[RowProblem] = field(default_factory=list)

    def add(self, other: "BatchResult") -> None:
        """Counts another batch in."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.problems.extend(other.problems)
