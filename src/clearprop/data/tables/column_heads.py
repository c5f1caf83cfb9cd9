"""What files of columns tell before any row is read, and whether they are one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearprop.data.rows_on_disk import facts_of
from clearprop.data.tables import arrow
from clearprop.errors import DataError


@dataclass(frozen=True)
class Head:
    """What a file tells.

    Parameters
    ----------
    types : dict of str to pyarrow.DataType
        The type of each column that is read.
    groups : tuple of int
        The rows of each row group or record batch.
    stamp : tuple of (int, int)
        See `stamp_of`.
    remarks : tuple of str
        Sentences on what is not read, or not as it is written.
    dropped : frozenset of str
        The columns that are there and were to be dropped.
    """

    types: dict[str, Any]
    groups: tuple[int, ...]
    stamp: tuple[int, int]
    remarks: tuple[str, ...]
    dropped: frozenset[str]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.groups)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each column."""
        return {name: arrow.kind_of(one) for name, one in self.types.items()}

    @classmethod
    def of(cls, path: Path, drop: set[str]) -> "Head":
        """Look at a file.

        Raises
        ------
        DataError
            If it can't be read.
        """
        with arrow.reading(path):
            stamp = stamp_of(path)
            schema, groups = arrow.head_of(path)
            remarks: list[str] = []
            fields = {
                name: schema.field(at) for name, at in arrow.columns_of(schema, remarks).items()
            }
            others = [one for one in schema if one.name not in drop]
            left_out = arrow.left_out_of(others)
            index = [one.name for one in others if one.name.startswith(arrow.INDEX)]
        if left_out:
            remarks.append(arrow.said_left_out(left_out))
        if index:
            remarks.append(arrow.said_of_index(index))
        types = {name: one.type for name, one in fields.items() if name not in drop}
        dropped = frozenset(drop & {*schema.names, *fields})
        return cls(types, tuple(groups), stamp, tuple(remarks), dropped)


def stamp_of(path: Path) -> tuple[int, int]:
    """Return the bytes of a file, and the time of its last change in nanoseconds."""
    return facts_of(path.stat())


def common_kinds(found: Sequence[tuple[Path, dict[str, str]]]) -> dict[str, str]:
    """Return the kinds of the columns, which must be the same in all files.

    Parameters
    ----------
    found : sequence of (Path, dict of str to str)
        Each file, and the kinds of its columns.

    Raises
    ------
    DataError
        Naming the column and two files.
    """
    first, own = found[0]
    kinds, told_by = dict(own), dict.fromkeys(own, first)
    for path, others in found[1:]:
        apart = [name for name in (*kinds, *others) if (name in kinds) != (name in others)]
        if apart:
            name = apart[0]
            has, lacks = (first, path) if name in kinds else (path, first)
            raise DataError(
                f"{lacks} has no column {name!r}, which {has} has: files that are one table have "
                "the same columns. Add it, leave one of the files out, or the column: "
                f"--drop {name}"
            )
        for name, kind in others.items():
            before = kinds[name]
            if kind != before and "nothing" not in (kind, before):
                raise DataError(
                    f"{path} has {name!r} as {kind}, and {told_by[name]} as {before}: expected the "
                    "same in all files that are one table. Write one of them anew, or leave the "
                    f"column out: --drop {name}"
                )
            if before == "nothing":
                kinds[name], told_by[name] = kind, path
    return kinds
