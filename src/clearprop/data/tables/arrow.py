"""Columns of pyarrow: which are read, what their kinds are, and how they become cells."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.core.reading import open_to_read
from clearprop.data.format import DEFLATE_LIMIT, cannot_read
from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.table import Words, as_words
from clearprop.errors import DataError, MissingExtraError

SUFFIXES = (".parquet", ".pq", ".feather", ".arrow")

INDEX = "__index_level_"
"""How pandas calls an index without a name."""

_SMALL = 2**25  # cells that any file may hold: the same one over and over takes no room
_UNPACKED = 2**28  # bytes that any file may unpack to
_PARQUET = b"PAR1"
_ARROW = b"ARROW1"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into one error."""
    try:
        yield
    except (MissingExtraError, DataError):
        raise
    except OSError as error:
        if error.errno:
            raise cannot_read(path, error) from error
        raise _damaged(path, error) from error
    except Exception as error:  # pyarrow raises its own, and any of Python's
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    why = " ".join(str(error).split())[:200] or type(error).__name__
    return DataError(f"{path} can't be read, or is damaged: {why}. Get it anew.")


def library() -> Any:
    """Return pyarrow with what is used of it.

    Raises
    ------
    MissingExtraError
    """
    try:
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(
            "pyarrow", "parquet", "Reading Parquet and Feather files"
        ) from error
    return pyarrow


def named_so(path: Path) -> bool:
    """Whether a file is one of columns, by its name."""
    return path.suffix.lower() in SUFFIXES


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does."""
    return _begins(path).startswith(_PARQUET)


def is_stream(path: Path) -> bool:
    """Whether a file is a stream of Arrow, which has no table of contents."""
    return not _begins(path).startswith((_PARQUET, _ARROW))


def head_of(path: Path) -> tuple[Any, list[int]]:
    """Return the schema of a file, and the rows of each row group or record batch."""
    pa = library()
    if is_parquet(path):
        opened = pa.parquet.ParquetFile(str(path), arrow_extensions_enabled=False)
        about = opened.metadata
        groups = [about.row_group(at).num_rows for at in range(about.num_row_groups)]
        schema = opened.schema_arrow
    elif is_stream(path):
        raise ValueError("it is a stream, which can't be read by pieces; write it as Parquet")
    else:
        reader = pa.ipc.open_file(pa.OSFile(str(path)))
        groups = [reader.get_batch(at).num_rows for at in range(reader.num_record_batches)]
        schema = reader.schema
    _require_moderate(sum(groups), len(schema), path.stat().st_size)
    return schema, groups


def kind_of(kind: Any) -> str:
    """Name the kind of a column in a word, the same for all types that become the same cells."""
    types = library().types
    if types.is_dictionary(kind):
        return kind_of(kind.value_type)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_null(kind):
        return "nothing"
    if types.is_timestamp(kind) or types.is_date(kind):
        return "date"
    if types.is_duration(kind):
        return "duration"
    return "boolean" if types.is_boolean(kind) else "time" if types.is_time(kind) else "text"


def type_of(kind: str) -> Any:
    """Return a type of a kind, for a column in which nothing is filled."""
    pa = library()
    types = {
        "number": pa.float64(),
        "date": pa.timestamp("s"),
        "duration": pa.duration("s"),
        "boolean": pa.bool_(),
        "time": pa.time32("s"),
    }
    return types.get(kind, pa.string())


def _begins(path: Path) -> bytes:
    with open_to_read(path) as file:
        return file.read(len(_ARROW))


def read_whole(path: Path) -> tuple[Any, list[str]]:
    """Read the columns of plain types; return them, and the names of all others."""
    pa = library()
    with open_to_read(path) as file:
        magic = file.read(len(_ARROW))
    with pa.OSFile(str(path)) as file:
        size = file.size()
        if magic.startswith(_PARQUET):
            table, left_out = _read_parquet(file, size)
        else:
            table, left_out = _read_arrow(file, size, is_stream=magic != _ARROW)
    table.validate(full=True)  # places beyond the text that they point into would be followed
    return table, left_out


def _read_parquet(file: Any, size: int) -> tuple[Any, list[str]]:
    opened = library().parquet.ParquetFile(file, arrow_extensions_enabled=False)
    schema = opened.schema_arrow
    plain, left_out = _plain(schema)
    names = [schema.field(place).name for place in plain]
    about = opened.metadata
    _require_moderate(about.num_rows, len(plain), size)
    unpacked = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
    if unpacked > max(_UNPACKED, DEFLATE_LIMIT * size):
        raise ValueError(f"it claims to unpack to {unpacked:,} bytes")
    # A long text that comes again and again is kept once, as in the file.
    words = [field.name for field in schema if _is_text(field.type)]
    opened = library().parquet.ParquetFile(
        file, metadata=about, read_dictionary=words, arrow_extensions_enabled=False
    )
    table = opened.read(names, use_pandas_metadata=False)  # and columns of the same names
    return table.select(_plain(table.schema)[0]), left_out


def _read_arrow(file: Any, size: int, *, is_stream: bool) -> tuple[Any, list[str]]:
    """Read Feather, which is Arrow's format of files, or the same as a stream."""
    pa = library()
    begin: Callable[..., Any] = pa.ipc.open_stream if is_stream else pa.ipc.open_file
    with begin(file) as reader:
        plain, left_out = _plain(reader.schema)
    file.seek(0)
    batches, rows = [], 0
    options = pa.ipc.IpcReadOptions(included_fields=plain)
    with begin(file, options=options) as reader:
        schema = reader.schema
        parts = reader if is_stream else map(reader.get_batch, range(reader.num_record_batches))
        for batch in parts:
            rows += batch.num_rows
            _require_moderate(rows, len(plain), size)
            batches.append(batch)
    table = pa.Table.from_batches(batches, schema)
    return table.select([] if not plain else range(table.num_columns)), left_out


def _plain(schema: Any) -> tuple[list[int], list[str]]:
    """Return the places of columns that are read, and the names of the others with their types."""
    plain = [place for place, field in enumerate(schema) if is_plain(field.type)]
    others = [field for field in schema if not is_plain(field.type)]
    return plain, [f"{field.name} ({str(field.type)[:40]})" for field in others]


def _is_text(kind: Any) -> bool:
    types = library().types
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def is_plain(kind: Any) -> bool:
    """Whether columns of a type are read: numbers, text, booleans, dates and times."""
    types = library().types
    if types.is_dictionary(kind):
        return is_plain(kind.value_type)
    tests = (
        _is_text,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_boolean,
        types.is_temporal,
        types.is_null,
    )
    return any(test(kind) for test in tests) and not types.is_interval(kind)


def _require_moderate(rows: int, columns: int, size: int) -> None:
    """Refuse a file that claims more cells than it would take bytes if it were packed well."""
    if rows * columns > max(_SMALL, DEFLATE_LIMIT * size):
        raise ValueError(
            f"it claims {rows:,} rows of {columns:,} columns, more than {size:,} bytes can hold"
        )


def decoded(column: Any) -> Any:
    """Give every cell of a column of pyarrow itself, but for text."""
    pa = library()
    kind = column.type
    if not pa.types.is_dictionary(kind) or _is_text(kind.value_type):
        return column
    chunks = [chunk.dictionary.take(chunk.indices) for chunk in column.chunks]
    return pa.chunked_array(chunks, kind.value_type)


def as_category(column: Any) -> Words:
    """Spell a column as text: a number as short as it can be, but with all of its digits."""
    types, kind = library().types, column.type
    if types.is_integer(kind) or (types.is_decimal(kind) and kind.scale == 0):
        return _words(column)  # a float would not keep them
    read = cells_of(column)
    if types.is_float32(kind) or types.is_float16(kind):
        numbers = np.asarray(column.to_numpy())  # 15.3, not 15.300000190734863
        distinct, places = np.unique(numbers, return_inverse=True)
        return as_words(np.array([float(str(one)) for one in distinct])[places])
    return as_words(read.values if isinstance(read, Numbers) else read)


def as_written(column: Any) -> Words:
    """Spell a column as text that tells every cell: dates without a time where none has one."""
    pa = library()
    types, kind = pa.types, column.type
    if types.is_date(kind) or types.is_decimal(kind):
        return _words(column)
    if not types.is_timestamp(kind):
        return as_category(column)
    words = _words(column.cast(pa.timestamp(kind.unit)))  # with a zone: in UTC
    texts = [re.sub(r"\.?0+$", "", text) if "." in text else text for text in words.texts]
    if all(text.endswith(" 00:00:00") for text in texts):
        texts = [text.removesuffix(" 00:00:00") for text in texts]
    return Words(tuple(texts), words.codes)


def cells_of(column: Any) -> Cells:
    """Take a column of pyarrow for numbers, dates or words."""
    pa = library()
    types, kind = pa.types, column.type
    if types.is_timestamp(kind) or types.is_date(kind):  # with a zone: in UTC
        return np.asarray(column.to_numpy()).astype("datetime64[s]")
    if types.is_duration(kind):
        seconds = column.to_numpy() / np.timedelta64(1, "s")
        return Numbers(seconds, {}, is_code=False)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return _numbers(column.cast(pa.float64(), safe=False).to_numpy())
    return _words(column)


def _numbers(values: Any) -> Numbers:
    """Take what is not finite for text, as in files of text."""
    values = np.asarray(values, dtype=np.float64)
    if not np.isinf(values).any():
        return Numbers(values, {}, is_code=False)
    endless = {text: np.flatnonzero(values == float(text)).tolist() for text in ("inf", "-inf")}
    values = np.where(np.isinf(values), np.nan, values)
    return Numbers(values, {text: at for text, at in endless.items() if at}, is_code=False)


def _words(column: Any) -> Words:
    """Take the different texts, without blanks around them; booleans as spreadsheets write them."""
    pa = library()
    is_boolean = pa.types.is_boolean(column.type)
    if not pa.types.is_dictionary(column.type):
        column = pa.compute.dictionary_encode(column.cast(pa.large_string()))
    places: dict[str, int] = {}
    parts, known, own = [np.empty(0, np.int32)], None, np.empty(0, np.int32)
    for chunk in column.chunks:
        if known is None or not chunk.dictionary.equals(known):
            known = chunk.dictionary
            texts = [(text or "").strip() for text in known.to_pylist()]
            own = np.array(
                [*(places.setdefault(text, len(places)) if text else -1 for text in texts), -1],
                dtype=np.int32,
            )
        codes = pa.compute.fill_null(chunk.indices.cast(pa.int64()), len(known)).to_numpy()
        parts.append(own[codes])
    order = sorted(places)
    ranks = np.full(len(places) + 1, -1, np.int32)
    ranks[[places[text] for text in order]] = np.arange(len(places), dtype=np.int32)
    spelled = [text.upper() for text in order] if is_boolean else order
    return Words(tuple(spelled), ranks[np.concatenate(parts)])
