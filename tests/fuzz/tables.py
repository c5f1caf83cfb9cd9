"""Tables as text, in which anything may stand."""

from collections.abc import Iterator
from random import Random

from mutations import ODD_NUMBERS, ODD_TEXTS, changed_bytes

_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252", "utf-32", "cp037")
_CELLS = (
    *("", "NA", "N/A", "<NA>", "1", "2.5", "-3", "007", "1e400", "nan", "inf", "True", "x", "a,b"),
    *('"', '""', '"a', 'a"b', "34,482.64", "$5", "5 %", "2020-01-01", "9" * 400, "9" * 5000, "٣"),
)


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        name = random.choice(("table.csv", "table.csv", "table.tsv"))
        kind = random.random()
        if kind < 0.05:
            yield name, random.randbytes(random.choice((0, 1, 10, 1000)))
        elif kind < 0.08:
            count = random.choice((300, 3000))
            header = ",".join(f"c{place}" for place in range(count))
            yield name, "\n".join([header, *[",".join("1" * count)] * 3]).encode()
        elif kind < 0.1:
            yield name, b"x,y\n" + b"a" * 200_000 + b",1\nb,2\n"
        else:
            yield name, _table(random)


def _table(random: Random) -> bytes:
    delimiter, end = random.choice(",,,;\t|"), random.choice(("\n", "\n", "\r\n", "\r"))
    lines = [["x", "colour", "y"]]
    lines += (
        [str(row * 1.5), random.choice(("red", "green")), random.choice("ab")]
        for row in range(random.choice((0, 1, 2, 12, 12, 40)))
    )
    odd = (*ODD_TEXTS, *map(str, ODD_NUMBERS), *_CELLS, *_CELLS)
    for _ in range(random.choice((0, 1, 2, 6))):
        line = random.choice(lines)
        line[random.randrange(len(line))] = random.choice(odd)
    if random.random() < 0.1:
        del random.choice(lines)[0]
    text = random.choice(("", "", "", "sep=;\n", "# a comment\n", "\n\n"))
    text += end.join(delimiter.join(line) for line in lines)
    encoding = random.choice(("utf-8", "utf-8", *_ENCODINGS))
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    content = text.encode(encoding, errors)
    return changed_bytes(content, random) if random.random() < 0.3 else content
