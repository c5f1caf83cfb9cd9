"""Columns of pyarrow: which are read, what their kinds are, and how they become cells."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.core.reading import open_to_read
from clearprop.data.format import DEFLATE_LIMIT, cannot_read
from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.dialect import different_names
from clearprop.data.tables.table import Words, as_words
from clearprop.errors import DataError, MissingExtraError, listed

SUFFIXES = (".parquet", ".pq", ".feather", ".arrow")

INDEX = "__index_level_"
"""How pandas calls an index without a name."""

_SMALL = 2**25  # cells that any file may hold: the same one over and over takes no room
_UNPACKED = 2**28  # bytes that any file may unpack to
_PARQUET = b"PAR1"
_ARROW = b"ARROW1"
_STREAM = b"\xff\xff\xff\xff"


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
    return _begins(path).startswith(_STREAM)


def head_of(path: Path) -> tuple[Any, list[int]]:
    """Return the schema of a file, and the rows of each row group or record batch."""
    begins, size = _begins(path), path.stat().st_size
    if begins.startswith(_PARQUET):
        opened = open_parquet(str(path))
        about = opened.metadata
        _require_packed_moderately(about, size)
        groups = [about.row_group(at).num_rows for at in range(about.num_row_groups)]
        schema = opened.schema_arrow
    elif begins.startswith(_ARROW):
        schema, groups = _head_of_arrow(path)
    elif begins.startswith(_STREAM):
        raise DataError(
            f"{path} is a stream of Arrow, which can't be read by pieces. Write it as Parquet, or "
            "as an Arrow file."
        )
    else:
        raise ValueError("it is empty" if not size else "it is neither Parquet nor Arrow")
    _require_moderate(sum(groups), len(schema), size)
    return schema, groups


def _head_of_arrow(path: Path) -> tuple[Any, list[int]]:
    """Return the same of an Arrow file, of which one column is read: a batch tells its rows."""
    pa = library()
    with pa.OSFile(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
        narrow = [at for at, field in enumerate(schema) if kind_of(field.type) == "number"]
        options = pa.ipc.IpcReadOptions(included_fields=narrow[:1])
        reader = pa.ipc.open_file(file, options=options)
        return schema, [reader.get_batch(at).num_rows for at in range(reader.num_record_batches)]


def open_parquet(source: Any, **options: Any) -> Any:
    """Open a Parquet file, so that dates of any year are what they are.

    Dates of 96 bits, as Spark writes them, would go round in nanoseconds before 1678 and after
    2262: 9999-12-31 would be a day of 1816.
    """
    return library().parquet.ParquetFile(
        source, arrow_extensions_enabled=False, coerce_int96_timestamp_unit="us", **options
    )


def columns_of(schema: Any, remarks: list[str]) -> dict[str, int]:
    """Return the places of columns of plain types, but for pandas' index, by names that differ."""
    places = [
        at for at, one in enumerate(schema) if is_plain(one.type) and not one.name.startswith(INDEX)
    ]
    names = different_names([schema.field(at).name for at in places], remarks)
    return dict(zip(names, places, strict=True))


def repeated(text: str, rows: int) -> Any:
    """Return a column of the same text in every row."""
    pa = library()
    return pa.chunked_array([pa.repeat(pa.scalar(text, pa.string()), rows)])


def said_of_index(names: Sequence[str]) -> str:
    """Say that pandas' index is not read."""
    return f"The index that pandas stores, {listed(names)}, is left out."


def said_left_out(columns: Sequence[str]) -> str:
    """Say that columns of other types are not read."""
    return f"Columns of a kind that is not read, left out: {listed(columns, 8)}."


def left_out_of(fields: Iterable[Any]) -> list[str]:
    """Return the names of columns of other types, with these."""
    return [f"{one.name} ({str(one.type)[:40]})" for one in fields if not is_plain(one.type)]


def bytes_of(path: Path, group: int, names: Collection[str]) -> list[tuple[int, int]]:
    """Return where the columns of a row group begin, and the bytes of each; none of Arrow's."""
    if not is_parquet(path):
        return []
    about = open_parquet(str(path)).metadata.row_group(group)
    found = []
    for at in range(about.num_columns):
        one = about.column(at)
        if one.path_in_schema in names:
            begins = one.dictionary_page_offset or one.data_page_offset
            found.append((min(begins, one.data_page_offset), one.total_compressed_size))
    return found


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


def common_type(kind: str, types: Iterable[Any]) -> Any:
    """Return a type of a kind that holds the cells of columns of some types."""
    pa = library()
    found = {one.value_type if pa.types.is_dictionary(one) else one for one in types}
    found.discard(pa.null())
    if kind in ("text", "nothing"):
        return pa.dictionary(pa.int32(), pa.large_string())  # texts that come again are kept once
    if len(found) == 1:
        return found.pop()
    if kind == "number":
        if not all(map(pa.types.is_integer, found)):
            return pa.float64()
        return pa.decimal128(20, 0) if pa.uint64() in found else pa.int64()
    return {
        "date": pa.timestamp("us"),
        "duration": pa.duration("us"),
        "time": pa.time64("us"),
    }[kind]


def as_type(column: Any, kind: Any) -> Any:
    """Bring a column to a type that `common_type` found."""
    pa = library()
    if not pa.types.is_dictionary(kind):
        return decoded(column).cast(kind, safe=False)
    if not pa.types.is_dictionary(column.type):
        return column.cast(kind.value_type).dictionary_encode()
    chunks = [
        pa.DictionaryArray.from_arrays(
            one.indices.cast(kind.index_type), one.dictionary.cast(kind.value_type)
        )
        for one in column.chunks
    ]
    return pa.chunked_array(chunks, kind)


def with_own_texts(table: Any) -> Any:
    """Let go of texts that no row has: rows taken from others hold on to all that those have."""
    types = library().types
    for place, field in enumerate(table.schema):
        if types.is_dictionary(field.type):
            texts = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, texts.dictionary_encode())
    return table


def _begins(path: Path) -> bytes:
    with open_to_read(path) as file:
        return file.read(len(_ARROW))


def read_whole(path: Path) -> tuple[Any, list[str]]:
    """Read the columns of plain types; return them, and the names of all others."""
    pa, magic = library(), _begins(path)
    with pa.OSFile(str(path)) as file:
        size = file.size()
        if magic.startswith(_PARQUET):
            table, left_out = _read_parquet(file, size)
        else:
            table, left_out = _read_arrow(file, size, is_stream=magic != _ARROW)
    table.validate(full=True)  # places beyond the text that they point into would be followed
    return table, left_out


def _read_parquet(file: Any, size: int) -> tuple[Any, list[str]]:
    opened = open_parquet(file)
    schema = opened.schema_arrow
    plain, left_out = _plain(schema)
    names = [schema.field(place).name for place in plain]
    about = opened.metadata
    _require_moderate(about.num_rows, len(plain), size)
    _require_packed_moderately(about, size)
    # A long text that comes again and again is kept once, as in the file.
    words = [field.name for field in schema if _is_text(field.type)]
    opened = open_parquet(file, metadata=about, read_dictionary=words)
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
    return plain, left_out_of(schema)


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


def _require_packed_moderately(about: Any, size: int) -> None:
    """Refuse a Parquet file that claims to unpack to more than it can be packed from."""
    unpacked = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
    if unpacked > max(_UNPACKED, DEFLATE_LIMIT * size):
        raise ValueError(f"it claims to unpack to {unpacked:,} bytes")


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
