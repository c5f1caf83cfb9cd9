"""``clearprop explain``: which columns matter, and what each adds to one answer."""

import csv
import json
import shutil
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

import clearprop as cp
from clearprop.cli import explain

LEARNED = ("--epochs", 100, "--learning-rate", 0.02, "--folds", 0, "--patience", 0)
WIDE = 14  # columns: too many for exact Shapley values


@pytest.fixture(autouse=True)
def strictly_drawn(monkeypatch):
    """Let no mistake in a figure pass for one that can't be drawn."""
    draw = explain.draw

    def strict(figure, path):
        problem = draw(figure, path)
        assert problem is None, problem

    monkeypatch.setattr(explain, "draw", strict)


@pytest.fixture(scope="session")
def odd(clearprop, tmp_path_factory):
    """A run on columns with gaps, commas, dates, 40 categories and names that are obeyed."""
    folder = tmp_path_factory.mktemp("odd")
    random = np.random.RandomState(0)
    with (folder / "odd.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["[bold]kind", "when", "city", "amount", "\x1b[31mred", "sold"])
        for row in range(160):
            amount, day = random.gamma(2, 2000), random.randint(1000)
            sold = "yes" if amount + 3 * day > 5000 else "no"
            lines.writerow(
                [
                    random.choice(["a", "b"]),
                    str(np.datetime64("2020-01-01") + day) if row % 9 else "",
                    f"city {random.randint(40)}" if row % 7 else "",
                    f"{amount:,.2f}" if row % 5 else "",
                    random.choice(["x", "y"]),
                    sold,
                ]
            )
    options = ("--layers", 8, "--epochs", 30, "--folds", 0, "--out", folder / "run")
    result = clearprop("train", folder / "odd.csv", *options)
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture(scope="session")
def wide(clearprop, tmp_path_factory):
    """A run on 14 numbers, with values of thousands to predict, by a network with kinks."""
    folder = tmp_path_factory.mktemp("wide")
    random = np.random.RandomState(1)
    X = random.randn(120, WIDE)
    price = np.exp(8 + X[:, 0] + 0.5 * np.abs(X[:, 1]))
    table = np.column_stack([X, price])
    header = ",".join([*(f"x{k}" for k in range(WIDE)), "price"])
    np.savetxt(folder / "wide.csv", table, fmt="%.6g", delimiter=",", header=header, comments="")
    options = ("--layers", 12, "--epochs", 40, "--folds", 0, "--target-scale", "log")
    result = clearprop("train", folder / "wide.csv", *options, "--out", folder / "run")
    assert result.exit_code == 0, result.stderr
    return folder


class TestOfAllRows:
    def test_it_tells_what_each_column_is_worth_and_draws_nothing_unasked(
        self, clearprop, table_run, elsewhere
    ):
        result = clearprop("explain", table_run)
        assert result.exit_code == 0, result.stderr
        head, columns, *rows = result.stdout.splitlines()
        assert head.startswith("accuracy ")
        assert "rows held out to test" in head
        assert columns.split() == ["column", "loses", "±"]
        names = [row.split()[0] for row in rows]
        assert set(names) == {"age", "colour", "weight"}
        assert set(names[:2]) == {"age", "colour"}
        assert list(elsewhere.iterdir()) == []

    def test_as_json_with_the_dependence_and_pictures(self, clearprop, table_run, strict_json):
        result = clearprop("explain", table_run, "--out", "why", "--json")
        found = strict_json(result.stdout)
        importance = found["importance"]
        assert (importance["of"], importance["repeats"]) == ("test", 5)
        report = json.loads((table_run / "report.json").read_text())
        assert importance["value"] == pytest.approx(report["test"]["accuracy"])
        assert importance == report["importance"]
        assert found["pictures"] == ["why/importance.png", "why/dependence.png"]
        assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in found["pictures"])
        depends = {one["column"]: one for one in found["dependence"]}
        assert set(depends) == {"age", "colour", "weight"}
        assert set(depends["colour"]["cells"]) == {"green", "red", None}
        assert list(depends["colour"]["answers"]) == ["yes"]

    def test_of_other_data_their_score_counts(self, clearprop, table_model, people, strict_json):
        result = clearprop("explain", table_model, people, "--json")
        found = strict_json(result.stdout)
        assert "has mostly learned from" in result.stderr
        scores = strict_json(clearprop("evaluate", table_model, people, "--json").stdout)
        assert found["importance"]["value"] == pytest.approx(scores["accuracy"])
        assert found["importance"]["samples"] == 80
        assert found["importance"] == scores["importance"]
        assert found["importance"]["of"] == str(people)

    @pytest.mark.usefixtures("with_pictures")
    def test_train_and_evaluate_tell_the_best_few(self, clearprop, people):
        options = ("--layers", 16, *LEARNED, "--out", "run")
        trained = clearprop("train", people, *options)
        assert trained.exit_code == 0, trained.stderr
        assert Path("run/importance.png").exists()
        assert "importance.png" in trained.stdout
        result = clearprop("explain", "run")
        loses = [row.split() for row in result.stdout.splitlines()[2:]]
        best = [f"{name} {loss}" for name, loss, _ in loses if float(loss.rstrip("%")) > 0]
        assert len(best) >= 2
        assert f"Matters most: {', '.join(best)}: the accuracy that is lost" in trained.stdout
        assert "Matters most: " in clearprop("evaluate", "run", people).stdout
        plotted = clearprop("plot", "run")
        assert "run/importance.png" in plotted.stdout.splitlines()
        assert clearprop("runs", "--remove", "run", "--yes").exit_code == 0  # nothing is foreign

    def test_of_a_class_by_name(self, clearprop, table_run, strict_json):
        found = strict_json(clearprop("explain", table_run, "--class", "no", "--json").stdout)
        assert list(found["dependence"][0]["answers"]) == ["no"]

    @pytest.mark.slow
    def test_what_must_be_obeyed_is_shown(self, clearprop, odd):
        result = clearprop("explain", odd / "run", "--out", "why")
        assert result.exit_code == 0, result.stderr
        assert "[bold]kind" in result.stdout
        assert "\\x1b[31mred" in result.stdout
        assert "\x1b" not in result.stdout


class TestOfOneAnswer:
    def found(self, clearprop, strict_json, *arguments):
        result = clearprop("explain", *arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return strict_json(result.stdout)

    def test_contributions_add_up_to_the_answer(self, clearprop, odd, strict_json):
        data = odd / "odd.csv"
        found = self.found(clearprop, strict_json, odd / "run", data, "--sample", 4)
        adds = [one["adds"] for one in found["contributions"]]
        assert found["base"] + sum(adds) == pytest.approx(found["answer"], abs=1e-12)
        assert abs(found["residual"]) < 1e-12
        assert [abs(one) for one in adds] == sorted(map(abs, adds), reverse=True)
        assert found["method"] == "shapley"
        told = json.loads(clearprop("predict", odd / "run", data, "--json").stdout)
        answer = told["predictions"][4]
        assert (found["source"], found["prediction"]) == (answer["source"], answer["prediction"])
        assert found["of"] == f"probability of {answer['prediction']!r}"
        share = answer["probabilities"][answer["prediction"]]
        assert found["answer"] == pytest.approx(share, rel=1e-4)

    def test_they_are_the_means_over_all_orders_of_predictions(
        self, clearprop, table_model, people, strict_json
    ):
        """Of tables that are mixed cell by cell, and predicted from Python."""
        with people.open(encoding="utf-8") as file:
            rows = [{**row} for row in csv.DictReader(file)]
        for row in rows:
            row.pop("buys")
        background = rows[10:13]
        with Path("few.csv").open("w", newline="", encoding="utf-8") as file:
            lines = csv.DictWriter(file, list(rows[0]))
            lines.writeheader()
            lines.writerows(background)
        found = self.found(
            *(clearprop, strict_json, table_model, people),
            *("--sample", 3, "--background", "few.csv", "--class", "yes"),
        )
        assert found["background"] == {"rows": 3, "of": "few.csv"}
        model = cp.load(table_model)

        def share(row):
            table = {name: [cell] for name, cell in row.items()}
            return model.predict_proba(table)[0, model.class_names.index("yes")]

        expected = dict.fromkeys(rows[0], 0.0)
        for other in background:
            for order in permutations(expected):
                mixed = dict(other)
                for name in order:
                    before = share(mixed)
                    mixed[name] = rows[3][name]
                    expected[name] += (share(mixed) - before) / 18
        adds = {one["name"]: one["adds"] for one in found["contributions"]}
        assert adds == pytest.approx(expected, abs=1e-5)

    def test_of_many_columns_by_integrated_gradients_in_the_target_s_unit(
        self, clearprop, wide, strict_json
    ):
        found = self.found(clearprop, strict_json, wide / "run", "--sample", 7)
        assert found["method"] == "integrated gradients"
        assert len(found["contributions"]) == WIDE
        assert abs(found["residual"]) < 1e-8 * found["answer"]
        answer = cp.load(wide / "run/model.safetensors").predict(str(wide / "wide.csv"))[7]
        assert found["answer"] == pytest.approx(answer, rel=1e-4)
        assert found["answer"] > 100
        assert found["contributions"][0]["name"] == "x0"
        text = clearprop("explain", wide / "run", "--sample", 7).stdout
        assert "as 14 columns are too many for exact Shapley values" in text
        assert "Residual of the sum: " in text
        assert "bends" not in text

    def test_groups_make_few_of_many(self, clearprop, wide, strict_json):
        group = ",".join(f"x{k}" for k in range(2, WIDE))
        found = self.found(clearprop, strict_json, wide / "run", "--sample", 7, "--group", group)
        assert found["method"] == "shapley"
        names = {one["name"] for one in found["contributions"]}
        assert names == {"x0", "x1", " + ".join(f"x{k}" for k in range(2, WIDE))}

    def test_text_names_the_row_the_cells_and_what_to_open(self, clearprop, odd):
        result = clearprop("explain", odd / "run", odd / "odd.csv", "--sample", 0)
        lines = result.stdout.splitlines()
        assert lines[0].startswith("odd.csv row 1 (sample 0): the answer is '")
        assert "The probability of" in lines[0]
        cells = {line.split("  ")[0]: line for line in lines[2:]}
        assert "(missing)" in cells["when"]
        assert "\x1b" not in result.stdout
        assert lines[-1].startswith("To see what one is made of: --open ")

    def test_the_terms_of_a_contribution_open(self, clearprop, table_run, people, strict_json):
        sample = (table_run, people, "--sample", 2)
        found = self.found(clearprop, strict_json, *sample, "--open", "age")
        opened, adds = found["opened"], {one["name"]: one["adds"] for one in found["contributions"]}
        assert opened["adds"] == adds["age"]
        terms = opened["terms"]
        assert [one["known"] for one in terms] == [[], ["colour"], ["weight"], ["colour", "weight"]]
        for one in terms:
            assert one["term"] == pytest.approx(one["weight"] * (one["with"] - one["without"]))
        assert [one["weight"] for one in terms] == pytest.approx([1 / 3, 1 / 6, 1 / 6, 1 / 3])
        assert sum(one["term"] for one in terms) == pytest.approx(adds["age"])
        assert (terms[0]["without"], terms[0]["known"]) == (found["base"], [])
        text = clearprop("explain", *sample, "--open", "age").stdout
        assert "people.csv row 3: age = " in text
        assert "all others" in text
        assert "The sum of all 4 terms is " in text

    def test_the_nodes_of_a_contribution_open(self, clearprop, wide, strict_json):
        sample = (wide / "run", "--sample", 7, "--open", "x1")
        found = self.found(clearprop, strict_json, *sample)
        opened = found["opened"]
        (one,) = opened["inputs"]
        assert one["name"] == "x1"
        assert one["difference"] == pytest.approx(one["value"] - one["baseline"])
        assert one["difference"] * one["mean_slope"] == pytest.approx(opened["adds"], rel=1e-9)
        nodes = opened["nodes"]
        assert sum(nodes["weight"]) == pytest.approx(1)
        assert sum(nodes["term"]) == pytest.approx(opened["adds"], rel=1e-9)
        slopes = np.array(nodes["slopes"])[:, 0]
        np.testing.assert_allclose(
            np.array(nodes["weight"]) * slopes * one["difference"], nodes["term"], rtol=1e-9
        )
        text = clearprop("explain", *sample).stdout
        assert "mean slope" in text
        assert f"The sum of all {len(nodes['t']):,} terms is" in text

    def test_of_very_many_columns_what_is_seen_adds_up(self, clearprop):
        X = np.random.RandomState(0).randn(60, 45)
        header = ",".join([*(f"x{k}" for k in range(45)), "y"])
        table = np.column_stack([X, X.sum(axis=1)])
        np.savetxt("many.csv", table, fmt="%.4f", delimiter=",", header=header, comments="")
        options = ("--layers", "none", "--epochs", 2, "--folds", 0, "--out", "run")
        assert clearprop("train", "many.csv", *options).exit_code == 0
        lines = clearprop("explain", "run", "--sample", 0).stdout.splitlines()
        rows, total = lines[2:43], lines[43]
        assert rows[-1].startswith("5 others ")
        assert total.startswith("sum ")
        adds = [float(row.split()[-1]) for row in rows]
        assert sum(adds) == pytest.approx(float(total.split()[-1]), abs=0.01)

    def test_where_the_run_s_own_rows_are_gone_those_of_the_data_serve(
        self, clearprop, table_run, people, strict_json
    ):
        shutil.copytree(table_run, "moved")
        config = Path("moved/config.toml")
        config.write_text(config.read_text().replace(str(people), "/nowhere/people.csv"))
        result = clearprop("explain", "moved", people, "--sample", 5, "--json")
        assert strict_json(result.stdout)["background"] == {"rows": 80, "of": str(people)}
        said = " ".join(result.stderr.split())
        assert f"Compared with rows of {people}, as the run's own can't be read." in said

    def test_the_run_s_own_rows_are_counted_as_walk_counts_them(
        self, clearprop, table_run, people, strict_json
    ):
        own = self.found(clearprop, strict_json, table_run, "--sample", 5)
        given = self.found(clearprop, strict_json, table_run, people, "--sample", 5)
        assert own["contributions"] == given["contributions"]
        assert (own["source"], given["source"]) == ("row 6", "people.csv row 6")
        assert own["background"]["rows"] == 80


class TestBadInput:
    def complaint(self, clearprop, *arguments, code=2):
        result = clearprop("explain", *arguments)
        assert result.exit_code == code, result.stderr
        return " ".join(result.stderr.split())

    @pytest.mark.parametrize("sample", [80, -1, 10**30])
    def test_a_sample_that_is_not_there(self, clearprop, table_run, people, sample):
        said = self.complaint(clearprop, table_run, people, "--sample", sample)
        assert f"has 80 samples, 0 to 79; there is no sample {sample}." in said

    def test_a_table_without_a_column(self, clearprop, table_run):
        Path("other.csv").write_text("age,weight\n3,4\n5,6\n")
        said = self.complaint(clearprop, table_run, "other.csv", "--sample", 0, code=1)
        assert "The column 'colour' is missing" in said

    def test_a_table_without_the_truth(self, clearprop, table_run):
        Path("new.csv").write_text("age,colour,weight\n30,red,1\n50,green,2\n")
        said = self.complaint(clearprop, table_run, "new.csv")
        assert "There is no column 'buys'" in said
        assert "--sample 0 explains the answer to a row without" in said
        assert clearprop("explain", table_run, "new.csv", "--sample", 0).exit_code == 0

    def test_a_single_row(self, clearprop, table_run, table_model):
        Path("one.csv").write_text("age,colour,weight,buys\n30,red,1,no\n")
        said = self.complaint(clearprop, table_run, "one.csv", code=1)
        assert "A single row can't be shuffled" in said
        assert clearprop("explain", table_run, "one.csv", "--sample", 0).exit_code == 0
        Path("alone.safetensors").write_bytes(table_model.read_bytes())
        said = self.complaint(clearprop, "alone.safetensors", "one.csv", "--sample", 0)
        assert "there is nothing to compare it with" in said
        background = ("--background", "one.csv")
        said = self.complaint(clearprop, "alone.safetensors", "one.csv", "--sample", 0, *background)
        assert "are like the one that is explained" in said

    @pytest.mark.parametrize("model", ["picture_model", "array_model"])
    def test_a_model_of_no_table(self, clearprop, request, model):
        said = self.complaint(clearprop, request.getfixturevalue(model))
        assert f"this model takes {model.partition('_')[0]}s" in said
        assert "clearprop predict MODEL FILE --show" in said

    def test_names_that_are_not_there(self, clearprop, table_run, wide):
        sample = (table_run, "--sample", 0)
        said = self.complaint(clearprop, *sample, "--open", "ages")
        assert "There is no column 'ages'. Did you mean 'age'?" in said
        assert "There is no class 'ye'" in self.complaint(clearprop, *sample, "--class", "ye")
        assert "There is no class 'ye'" in self.complaint(clearprop, table_run, "--class", "ye")
        assert "predicts values" in self.complaint(clearprop, wide / "run", "--class", "yes")
        said = self.complaint(clearprop, *sample, "--group", "age,size")
        assert "There is no column 'size'" in said

    def test_options_that_say_nothing_together(self, clearprop, table_run):
        for option in ("--open", "--group", "--background"):
            said = self.complaint(clearprop, table_run, option, "age")
            assert f"{option} is for the answer to one row" in said
        said = self.complaint(clearprop, table_run, "--sample", 0, "--out", "why")
        assert "--sample explains one" in said

    def test_a_column_that_is_the_same_in_all_rows_adds_nothing(self, clearprop, strict_json):
        rows = [f"{k % 7},{k % 2},5,{'ab'[k % 2]}" for k in range(40)]
        Path("same.csv").write_text("\n".join(["x,y,same,kind", *rows]))
        options = ("--keep", "same", "--layers", 4, "--epochs", 5, "--folds", 0, "--out", "run")
        trained = clearprop("train", "same.csv", *options)
        assert trained.exit_code == 0, trained.stderr
        found = strict_json(clearprop("explain", "run", "--sample", 1, "--json").stdout)
        adds = {one["name"]: one["adds"] for one in found["contributions"]}
        assert adds["same"] == 0
        assert clearprop("explain", "run", "--out", "why").exit_code == 0
