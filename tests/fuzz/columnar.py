"""Changed Parquet and Feather files, small, of every type, codec and layout."""

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from random import Random

import pyarrow as pa
from mutations import changed_bytes
from pyarrow import feather, ipc, parquet


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        suffix, content = random.choice(_samples())
        yield f"table.{suffix}", changed_bytes(content, random)


@cache
def _samples() -> tuple[tuple[str, bytes], ...]:
    found = []
    for table in (_plain_table(), _odd_table()):
        for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
            for version, dictionary in (("1.0", True), ("2.0", False)):
                out = io.BytesIO()
                parquet.write_table(
                    table,
                    out,
                    compression=codec,
                    data_page_version=version,
                    use_dictionary=dictionary,
                    row_group_size=13,
                )
                found.append(("parquet", out.getvalue()))
        for compression in ("uncompressed", "lz4", "zstd"):
            out = io.BytesIO()
            feather.write_feather(table, out, compression=compression, chunksize=13)
            found.append(("feather", out.getvalue()))
        out = io.BytesIO()
        with ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
        found.append(("arrow", out.getvalue()))
    return tuple(found)


def _plain_table() -> pa.Table:
    return pa.table(
        {
            "x": [row * 1.5 for row in range(30)],
            "n": pa.array([None if row % 7 == 0 else row * row for row in range(30)], pa.int32()),
            "word": pa.array([("red", "green", None)[row % 3] for row in range(30)]),
            "y": [row % 2 for row in range(30)],
        }
    )


def _odd_table() -> pa.Table:
    rows = range(30)
    start = datetime(2020, 1, 2, 3, 4, 5)
    return pa.table(
        {
            "date": [date(2020, 1, 1) + timedelta(row) for row in rows],
            "when": pa.array([start] * 30, pa.timestamp("ns", "Europe/Paris")),
            "time": [time(row % 24, 30) for row in rows],
            "long": [timedelta(hours=row) for row in rows],
            "money": [Decimal(row) / 8 for row in rows],
            "is": [row % 2 == 0 for row in rows],
            "class": pa.array([("a", "b")[row % 2] for row in rows]).dictionary_encode(),
            "view": pa.array([f"a text of some length {row}" for row in rows], pa.large_string()),
            "half": pa.array([float(row) for row in rows], pa.float16()),
            "none": pa.nulls(30),
            "list": [[row] * 3 for row in rows],
            "struct": [{"a": row, "b": "x"} for row in rows],
            "bytes": [b"\0\1"] * 30,
            "y": [row % 3 for row in rows],
        }
    )
