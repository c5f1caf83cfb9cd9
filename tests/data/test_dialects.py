"""What separates the cells of a text, where its table begins, and whether it has a header."""

import contextlib
import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import cells_of, read, said_by, write

from clearprop.data import load
from clearprop.data.reading import TextForm
from clearprop.data.tables.delimited import Delimited
from clearprop.errors import DataError, UsageError

ROWS = [("1.5", "red", "no"), ("2", "blue", "yes"), ("-4", "red", "no"), ("8", "blue", "yes")]
NAMES = ("width", "colour", "y")


def read_names(path: Path) -> tuple[str, ...]:
    return tuple(Delimited().column_names(path))


def text_of(rows: list[tuple[str, ...]], delimiter: str, end: str = "\n") -> str:
    return "".join(delimiter.join(row) + end for row in rows)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str, end: str) -> None:
    dataset = load(write(tmp_path, text_of([NAMES, *ROWS], delimiter, end)))
    assert dataset.feature_names == ("width", "colour")
    assert cells_of(dataset, "width") == [1.5, 2, -4, 8]
    assert cells_of(dataset, "colour") == ["red", "blue", "red", "blue"]


def test_a_delimiter_that_is_named_goes_before_what_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, "a,1~b,1~y\n1,2~3,4~u\n3,4~5,6~v\n5,6~1,1~u\n7,8~1,2~v\n")
    dataset = read(path, TextForm(delimiter="~"))
    assert dataset.feature_names == ("a,1", "b,1")
    assert cells_of(dataset, "a,1") == [1.2, 3.4, 5.6, 7.8]
    with pytest.raises(UsageError, match="one character, found '~~'"):
        TextForm(delimiter="~~")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@settings(max_examples=15)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(-1e9, 1e9).map(lambda number: round(number, 3)),
            st.text(st.sampled_from("ab ,;|\t\n\"'é")).map(lambda text: f"t{text}t"),
            st.sampled_from(["no", 'a "b", sir']),
        ),
        min_size=3,
        max_size=12,
    )
)
def test_what_the_csv_module_wrote_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    delimiter: str,
    quoting: int,
    rows: list[tuple[float, str, str]],
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([("number", "text", "y"), *rows])
    path = write(tmp_path_factory.mktemp("csv"), file.getvalue())
    form = TextForm(delimiter=delimiter, decimal=".")
    found = read(path, form, category=("text", "y"), keep=("number", "text"), target="y")
    assert cells_of(found, "text") == [text for _, text, _ in rows]
    assert cells_of(found, "number") == [number for number, _, _ in rows]
    assert found.class_names == tuple(sorted({label for *_, label in rows}))


def test_single_quotes_around_cells_are_taken_off_and_said(tmp_path: Path) -> None:
    text = "'a','b','y'\n'x, 1',3,'no'\n'z',4,'yes'\n'x, 1',5,'no'\n'z',6,'yes'\n"
    dataset = load(write(tmp_path, text))
    assert dataset.class_names == ("no", "yes")
    assert cells_of(dataset, "a") == ["x, 1", "z", "x, 1", "z"]
    assert "single quotes" in said_by(dataset)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_single_quotes_hold_the_delimiter_anywhere(tmp_path: Path, delimiter: str) -> None:
    rows = [("'x,1'", "1", "'p'"), ("'it''s;2'", "2", "'q'"), ("'x,1'", "3", "'p'")]
    text = "'a','b','y'\n".replace(",", delimiter) + text_of(rows, delimiter)
    dataset = load(write(tmp_path, text))
    assert cells_of(dataset, "a") == ["x,1", "it's;2", "x,1"]
    assert cells_of(dataset, "b") == [1, 2, 3]
    assert dataset.class_names == ("p", "q")


def test_an_apostrophe_here_and_there_is_a_letter(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, "a,b,y\n'tis,3,no\nit's,4,yes\n'tis,5,no\nit's,6,yes\n"))
    assert cells_of(dataset, "a") == ["'tis", "it's", "'tis", "it's"]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_quote_behind_another_delimiter_s_sign_opens_no_cell(
    tmp_path: Path, delimiter: str, place: int
) -> None:
    names = [*NAMES]
    names[place] = '"quo\'ted"&amp;|x'
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([names, *ROWS])
    dataset = load(write(tmp_path, text.getvalue()))
    assert dataset.feature_names == (*names[:2],)
    assert cells_of(dataset, names[0]) == [1.5, 2, -4, 8]
    assert dataset.class_names == ("no", "yes")


def test_quotes_that_open_in_texts_between_tabs_swallow_no_lines(tmp_path: Path) -> None:
    lines = [f"ham\thello {row}\t{row % 4}" for row in range(300)]
    lines[250], lines[254] = 'spam\t"never closed\t1', 'ham\tor only" here\t2'
    dataset = read(write(tmp_path, "\n".join(lines) + "\n"), category=("column 2",))
    assert len(dataset) == 300
    assert '"never closed' in cells_of(dataset, "column 2")
    assert "letters" in said_by(dataset)


def test_one_quote_between_tabs_that_is_never_closed_is_a_letter(tmp_path: Path) -> None:
    lines = [f"ham\thello {row}\t{row % 4}" for row in range(40)]
    lines[20] = 'spam\t"never closed\t1'
    dataset = read(write(tmp_path, "\n".join(lines) + "\n"), category=("column 2",))
    assert len(dataset) == 40
    assert cells_of(dataset, "column 2")[20] == '"never closed'


def test_a_quoted_text_between_tabs_may_hold_a_line_as_wide_as_a_row(tmp_path: Path) -> None:
    text = 'y\ta\tt\nno\t"x\t1\nz\ty\t2\nx"\tone\nyes\tb\ttwo\nno\tb\tone\n'
    dataset = read(write(tmp_path, text), target="y", category=("a", "t"))
    assert cells_of(dataset, "a") == ["x\t1\nz\ty\t2\nx", "b", "b"]
    assert cells_of(dataset, "t") == ["one", "two", "one"]


def test_a_doubled_quote_at_the_begin_of_a_line_within_a_text_opens_none(tmp_path: Path) -> None:
    text = 'a\ttext\ty\n1\ttt\tno\n2\t"t\n\t""t"\tno\n3\ttt\tyes\n4\ttt\tyes\n'
    dataset = read(write(tmp_path, text), keep=("text",))
    assert cells_of(dataset, "text") == ["tt", 't\n\t"t', "tt", "tt"]


def test_a_quoted_text_between_tabs_may_go_on_over_lines(tmp_path: Path) -> None:
    text = 'y\ta\tt\nno\t1\t"two\nlines"\nyes\t2\tone\nno\t3\t"a\n\tb"\nyes\t4\tone\n'
    dataset = read(write(tmp_path, text), target="y")
    assert cells_of(dataset, "t") == ["two\nlines", "one", "a\n\tb", "one"]


def test_columns_under_each_other_are_separated_by_blanks(tmp_path: Path) -> None:
    text = ' 1.0  130  "a b"\tno\n12.5   90  c \tyes\n 3.0    ?  c\tno\n 4.0   70  c\tyes\n'
    dataset = load(write(tmp_path, text, "cars.data"))
    assert cells_of(dataset, "column 1") == [1, 12.5, 3, 4]
    assert cells_of(dataset, "column 2") == [130, 90, None, 70]
    assert cells_of(dataset, "column 3") == ["a b", "c", "c", "c"]


def test_words_may_stand_among_numbers_between_blanks(tmp_path: Path) -> None:
    text = "63.0 male angina 145 233 2.3 H\n67.0  fem asympt 160 286 1.5 S\n" * 3
    dataset = load(write(tmp_path, text, "hearts.mod"))
    assert dataset.class_names == ("H", "S")
    assert cells_of(dataset, "column 2") == ["male", "fem"] * 3


def test_sentences_are_not_cut_at_blanks(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"only one column.*--delimiter"):
        load(write(tmp_path, "the text\nit is so\nbut was not\nand so on\n"))


def test_records_over_lines_of_different_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No delimiter cuts most of its lines"):
        load(write(tmp_path, "1 2 3\n4 5\n6 7 8 9\n10\n" * 9, "records.data"))


# What stands above and below


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sep=;\na;b;y\n1;x;no\n2;z;yes\n3;x;no\n4;z;yes\n", "delimiter"),  # D13
        ("SEP=|\na|b|y\n1|x|no\n2|z|yes\n3|x|no\n4|z|yes\n", "delimiter"),
        ("# by nobody\n# 2020\na,b,y\n1,x,no\n# in between\n2,z,yes\n3,x,no\n4,z,yes\n", "with #"),
        ("% a comment\n\na,b,y\n1,x,no\n2,z,yes\n3,x,no\n4,z,yes\n", "with %"),
        ("\n\na,b,y\n1,x,no\n2,z,yes\n3,x,no\n4,z,yes\n", ""),
        ("\ufeffa,b,y\n1,x,no\n2,z,yes\n3,x,no\n4,z,yes\n\n\n", ""),
    ],
)
def test_marks_comments_and_empty_lines_are_passed_over(
    tmp_path: Path, text: str, said: str
) -> None:
    dataset = load(write(tmp_path, text))
    assert cells_of(dataset, "a") == [1, 2, 3, 4]
    assert cells_of(dataset, "b") == ["x", "z", "x", "z"]
    assert said in said_by(dataset)


def test_names_in_the_comment_above_as_numpy_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    X = np.array([[1.5, 3, 0], [2, 4, 1], [8, 5, 0], [9, 7, 1]])
    np.savetxt(path, X, header="width height y")
    dataset = load(path)
    assert (dataset.feature_names, dataset.target_name) == (("width", "height"), "y")
    assert cells_of(dataset, "width") == [1.5, 2, 8, 9]
    assert "#" in said_by(dataset)


@pytest.mark.parametrize("kind", ["number", "word"])
def test_names_in_the_first_of_several_comments_as_qiime_writes_them(
    tmp_path: Path, kind: str
) -> None:
    dates = [20061218, 20061126, 20070314, 20071210] if kind == "number" else ["u", "v", "w", "x"]
    rows = "".join(f"PC{at}\t{date}\tc{at}\n" for at, date in enumerate(dates))
    text = f"#SampleID\tDOB\tTreatment\n#q2:types\tnumeric\tcategorical\n#Nine mice, fed\n{rows}"
    names = read_names(write(tmp_path, text, "map.tsv"))
    assert names == ("SampleID", "DOB", "Treatment")


def test_a_sentence_of_as_many_words_as_there_are_columns_holds_no_names(tmp_path: Path) -> None:
    path = write(tmp_path, "# measured by hand\n# in 2020\n1.5 2 3\n4 5 6\n7 8 9\n", "data.dat")
    assert read_names(path) == ("column 1", "column 2", "column 3")


def test_a_header_goes_before_a_comment_that_is_as_wide(tmp_path: Path) -> None:
    text = "#by\tme\nwidth\ty\n1\tp\n2\tq\n3\tp\n"
    assert read_names(write(tmp_path, text)) == ("width", "y")


def test_titles_above_and_sources_below_are_passed_over_and_counted(tmp_path: Path) -> None:
    rows = "".join(f"{row},{row * row},{row % 3},{row % 2}\n" for row in range(20, 50))
    text = f"Areas in 2020\nby nobody\n\nlength,area,kind,y\n{rows}Source: none\n"
    dataset = load(write(tmp_path, text))
    assert dataset.feature_names == ("length", "area", "kind")
    assert len(dataset) == 30
    assert "2 lines above the table, such as 'Areas in 2020'" in said_by(dataset)
    assert "1 line below the table" in said_by(dataset)


ACCOUNT = (
    "Datum;Text;Betrag;Art\n01.11.2025;Firma A;-3,20;Last\n02.11.2025;Firma B;5,10;Gut\n"
    "03.11.2025;Firma A;-1,20;Last\n"
)
ACCOUNT_NAMES = ("Datum", "Text", "Betrag", "Art")


@pytest.mark.parametrize(
    "above",
    [
        "Export;09.12.2025\n\nIBAN;DE89\nSaldo;66.331,90;EUR\n\n",  # as banks write them
        "Export;09.12.2025\nIBAN;DE89\nName;Giro\nBank;B\nKunde;M\nZeit;x\nSaldo;66.331,90;EUR\n"
        "Sort;Datum\nVom;1.1.2025\nBis;3.11.2025\nArt;alle\nNur;gebuchte\nSeite;1\n",
        "EXTF;700;21;Stapel;7;2025;x\n",  # as DATEV does: more cells than the table has
        "EXTF;700;21\n",
        "Saldo;6,5 EUR\nBis;3,4 EUR\nAb;1,5 EUR\nArt;2,1 EUR\n",  # commas in more lines
        "Many;;;\ncannot;help;;to write\nat;;;top\n",  # as spreadsheets do
    ],
)
def test_lines_of_any_cells_above_a_table_are_passed_over(tmp_path: Path, above: str) -> None:
    dataset = read(write(tmp_path, above + ACCOUNT), target="Art")
    assert [column.name for column in dataset.columns] == ["Art", *ACCOUNT_NAMES[:-1]]
    assert cells_of(dataset, "Betrag") == [-3.2, 5.1, -1.2]
    assert "above the table" in said_by(dataset)


def test_a_header_without_some_names_is_not_passed_over(tmp_path: Path) -> None:
    text = ",name,size,y\n1,u,?,p\n2,v,5,q\n3,u,6,p\n4,v,8,q\n"
    assert read_names(write(tmp_path, text)) == ("unnamed 1", "name", "size", "y")


# Headers


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,setosa\n4.9,3.0,virginica\n6.3,3.3,setosa\n4.7,3.2,virginica\n",  # D5
        "1,2,0\n3,4,1\n5,6,0\n7,9,1\n",
        "M,0.45,15\nF,0.35,7\nI,0.5,15\nM,0.44,7\n",
        "red,no\nblue,yes\nred,yes\nblue,no\n" * 3,
    ],
)
def test_a_first_line_like_those_below_is_no_header_and_said_to_be_none(
    tmp_path: Path, text: str
) -> None:
    dataset = load(write(tmp_path, text))
    rows = list(csv.reader(text.splitlines()))
    assert len(dataset) == len(rows)
    assert dataset.target_name == f"column {len(rows[0])}"
    assert "There is no header" in said_by(dataset)
    assert "--header" in said_by(dataset)


ROWS_BELOW = "1.5,3,u,p\n2.5,4,v,q\n3.5,6,u,p\n4.5,7,v,q\n"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("kg,m,,kind\n", "A line below the header, 'kg', 'm', 'kind'"),
        ("%,%,-,-\n", "A line below"),
        ('How heavy?,How long?,Which?,y\n{"I":"a"},{"I":"b"},{"I":"c"},{"I":"d"}\n', "2 lines"),
    ],
)
def test_lines_that_describe_the_columns_are_no_rows(
    tmp_path: Path, labels: str, said: str
) -> None:
    dataset = load(write(tmp_path, f"a,b,c,y\n{labels}{ROWS_BELOW}"))
    assert cells_of(dataset, "a") == [1.5, 2.5, 3.5, 4.5]
    assert dataset.class_names == ("p", "q")
    assert said in said_by(dataset)


@pytest.mark.parametrize(
    "row",
    [
        "unknown,?,u,p\n",
        "low,5,u,p\n",
        "low,,u,p\n",
        "low,high,u,p\n9.5,high,u,q\n",  # a word that comes again
    ],
)
def test_a_first_row_with_words_among_numbers_is_a_row(tmp_path: Path, row: str) -> None:
    path = write(tmp_path, f"a,b,c,y\n{row}{ROWS_BELOW}")
    assert len(read(path, number=("a", "b"))) == 4 + row.count("\n")


def test_a_header_that_comes_again_is_passed_over_and_counted(tmp_path: Path) -> None:
    text = "a,y\n1,p\n2,q\n3,p\n4,q\na,y\n5,p\n6,q\n"  # as cat puts files together
    dataset = load(write(tmp_path, text))
    assert (dataset.feature_names, dataset.class_names) == (("a",), ("p", "q"))
    assert cells_of(dataset, "a") == [1, 2, 3, 4, 5, 6]
    assert "The header comes again in 1 line, passed over." in said_by(dataset)


def test_a_header_of_words_above_words_comes_again(tmp_path: Path) -> None:
    text = "colour,y\nred,no\nblue,yes\ncolour,y\nred,no\nblue,yes\ncolour,y\nblue,no\n"
    dataset = load(write(tmp_path, text))
    assert (dataset.feature_names, dataset.class_names) == (("colour",), ("no", "yes"))
    assert len(dataset) == 5


def test_a_header_that_comes_again_far_below(tmp_path: Path) -> None:
    rows = "".join(f"{row}.5,{'pq'[row % 2]},v{row % 3},\n" for row in range(300))
    dataset = load(write(tmp_path, f"a,b,y,\n{rows}a,b,y,\n{rows}"))
    assert (len(dataset), dataset.class_names) == (600, ("v0", "v1", "v2"))
    assert cells_of(dataset, "a") == [row + 0.5 for row in range(300)] * 2


@pytest.mark.parametrize(
    "text",
    [
        "2019,2020,2021\n5,3,1\n7,8,2\n9,1,1\n4,4,2\n",  # years are names
        "0,1,2\n5.5,3,1\n7.1,8,2\n9.2,1,1\n4.3,4,2\n",  # so are counts
        "size,y\n1,p\n2,y\n3,p\n4,y\n",  # a name that is a class, too
        "colour,y\nred,no\nblue,yes\nred,no\nblue,yes\n",
        "a,2nd,y\n5,3,1\n7,8,2\n9,1,1\n4,4,2\n",
    ],
)
def test_names_are_told_from_rows(tmp_path: Path, text: str) -> None:
    dataset = load(write(tmp_path, text))
    names = tuple(text.split("\n")[0].split(","))
    assert (*dataset.feature_names, dataset.target_name) == names
    assert len(dataset) == 4
    assert "no header" not in said_by(dataset)


@pytest.mark.parametrize("cell", ["9" * 5000, "²", "٣"])
def test_odd_digits_in_the_first_line_are_read_or_refused(tmp_path: Path, cell: str) -> None:
    with contextlib.suppress(DataError):
        load(write(tmp_path, f"{cell},{cell},y\n1,2,no\n2,5,yes\n4,1,no\n"))


def test_it_can_be_said_whether_there_is_a_header(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\nc,d\na,d\nc,b\n" * 3)
    assert read(path, TextForm(header=False)).target_name == "column 2"
    assert len(read(path, TextForm(header=False))) == 12
    with_names = read(path, TextForm(header=True))
    assert (with_names.target_name, len(with_names)) == ("b", 11)


def test_names_are_stripped_made_different_and_found_where_there_are_none(tmp_path: Path) -> None:
    text = " a  b ,,a b,size,y\n1,2,x,4,no\n2,5,z,5,yes\n4,2,x,7,no\n5,1,z,1,yes\n"
    dataset = load(write(tmp_path, text))
    assert dataset.feature_names == ("a b", "unnamed 2", "a b (2)", "size")
    assert "'unnamed 2'" in said_by(dataset)
    assert "'a b'" in said_by(dataset)


@pytest.mark.parametrize("end", [",", ";"])
def test_a_delimiter_at_the_end_of_every_row_makes_no_filled_column(
    tmp_path: Path, end: str
) -> None:
    rows = "".join(f"{row}{end}{row * 3 % 5}{end}{'xz'[row % 2]}{end}\n" for row in range(8))
    dataset = load(write(tmp_path, f"a{end}b{end}y\n{rows}"))
    assert (dataset.feature_names, dataset.target_name) == (("a", "b"), "y")


def test_names_of_rows_as_r_writes_them(tmp_path: Path) -> None:
    rows = "".join(
        f'"{row}" {row * 7 % 5}.5 {row * 3 % 5} "{"xz"[row % 2]}"\n' for row in range(30)
    )
    dataset = load(write(tmp_path, f'"a" "b" "y"\n{rows}', "frame.txt"))
    assert (dataset.feature_names, dataset.target_name) == (("a", "b"), "y")
    assert cells_of(dataset, "a")[:3] == [0.5, 2.5, 4.5]


# Rows of another width


def test_a_few_lines_of_another_width_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [f"{row},{row * row % 7},{'xz'[row % 2]}" for row in range(50)]
    rows[10] = "10,1,2,3,x"
    dataset = load(write(tmp_path, "a,b,y\n" + "\n".join(rows)))
    assert len(dataset) == 49
    [problem] = dataset.problems
    assert problem.source.startswith("line 12 of ")
    assert problem.reason == "has 5 cells, expected 3 as in the header"


def test_many_lines_of_another_width_are_refused(tmp_path: Path) -> None:
    rows = [f"{row},1,2{',3' * (row % 3)}" for row in range(50)]
    with pytest.raises(DataError, match=r"Line \d+ of .* cells, expected .*--delimiter"):
        load(write(tmp_path, "a,b,y\n" + "\n".join(rows)))


def test_cells_that_are_missing_at_the_end_are_taken_as_missing_and_said(tmp_path: Path) -> None:
    text = "a,b,c,y,\n" + "1,2,x,no,\n2,3,z,yes\n3,4,x,no,\n4,5,z\n" * 3
    dataset = load(write(tmp_path, text))
    assert dataset.target_name == "y"
    assert len(dataset) == 9  # three have no target
    assert "6 lines with fewer cells than the header, the first line 3" in said_by(dataset)


@pytest.mark.parametrize("row", [0, 5, 400])
def test_an_open_quote_is_named_with_its_line(tmp_path: Path, row: int) -> None:
    rows = [f"{row},{row * row % 7},{'xz'[row % 2]}" for row in range(500)]
    rows[row] = '1,"2,x'
    with pytest.raises(DataError, match=f"quote that opens in line {row + 2} of .* is not closed"):
        load(write(tmp_path, "a,b,y\n" + "\n".join(rows) + "\n"))
