"""``clearprop evaluate``: the score, its details, and the most confident mistakes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_pictures import write_picture


class TestClasses:
    def test_are_scored_as_predict_answers_them(self, clearprop, people, table_model, strict_json):
        found = strict_json(clearprop("evaluate", table_model, people, "--json").stdout)
        answers = strict_json(clearprop("predict", table_model, people, "--json").stdout)
        said = np.array([answer["prediction"] for answer in answers["predictions"]])
        truth = np.array([line.split(",")[-1] for line in people.read_text().splitlines()[1:]])
        assert found["accuracy"] == np.mean(said == truth)
        confusion = [
            [int(np.sum((truth == t) & (said == s))) for s in ("no", "yes")] for t in ("no", "yes")
        ]
        assert found["confusion"] == confusion
        for k, report in enumerate(found["classes"]):
            assert report["samples"] == sum(confusion[k])
            assert report["recall"] == confusion[k][k] / sum(confusion[k])
            assert report["precision"] == confusion[k][k] / sum(row[k] for row in confusion)
        assert len(found["mistakes"]) == np.sum(said != truth)
        confidence = [mistake["probability"] for mistake in found["mistakes"]]
        assert confidence == sorted(confidence, reverse=True)

    def test_are_scored_by_the_folder_of_a_run(self, clearprop, people, table_model, table_run):
        by_folder = clearprop("evaluate", table_run, people)
        assert by_folder.exit_code == 0
        assert by_folder.stdout == clearprop("evaluate", table_model, people).stdout

    def test_are_told_with_the_most_confident_mistakes_by_file_name(
        self, clearprop, photos, picture_model
    ):
        write_picture(photos / "dark/lamp at night.png", bright=True, seed=50)
        result = clearprop("evaluate", picture_model, photos)
        assert result.exit_code == 0
        assert "13 samples: accuracy 92.31%" in result.stdout
        heading = result.stdout.splitlines().index("1 mistake, the most confident first:")
        mistake = result.stdout.splitlines()[heading + 2]
        assert mistake.startswith("dark/lamp at night.png  dark  bright")

    def test_that_were_learned_from_are_told_to_be_no_score(
        self, clearprop, people, table_run, table_model, strict_json
    ):
        result = clearprop("evaluate", table_model, people)
        first, _, honest, *_ = result.stdout.splitlines()
        assert first.startswith(
            f"{people}: 80 samples that it has mostly learned from: no score for other samples: "
            "accuracy "
        )
        reached = strict_json((table_run / "report.json").read_text())["test"]["accuracy"]
        assert honest == (
            f"On 16 samples that it had not learned from it reached accuracy {reached:.2%}."
        )
        assert "To look for the reason" not in result.stdout
        assert strict_json(clearprop("evaluate", table_run, people, "--json").stdout)[
            "learned_from"
        ]
        other = shutil.copy(people, "other.csv")
        fresh = clearprop("evaluate", table_model, other)
        assert fresh.stdout.startswith("other.csv: 80 samples: accuracy ")
        assert "learned from" not in fresh.stdout
        assert fresh.stderr == "Target: buys, 2 classes: no, yes.\n"
        found = strict_json(clearprop("evaluate", table_model, other, "--json").stdout)
        assert found["learned_from"] is False

    def test_stand_beside_what_they_have_to_beat(self, clearprop, people, table_model, strict_json):
        other = shutil.copy(people, "other.csv")
        found = strict_json(clearprop("evaluate", table_model, other, "--json").stdout)
        truth = [line.rpartition(",")[2] for line in people.read_text().splitlines()[1:]]
        larger = max(truth.count("no"), truth.count("yes")) / 80
        assert found["baselines"]["constant"]["accuracy"] == larger
        linear = found["baselines"]["linear"]["accuracy"]
        assert larger < linear < 1
        first, others, *_ = clearprop("evaluate", table_model, other).stdout.splitlines()
        assert first == (
            f"other.csv: 80 samples: accuracy {found['accuracy']:.2%} "
            f"(larger class {larger:.2%}, linear model {linear:.2%})"
        )
        assert others == (
            f"  balanced accuracy {found['balanced_accuracy']:.2%}, F1 of 'yes' {found['f1']:.2%}, "
            f"log loss {found['log_loss']:.4f}, ROC AUC {found['roc_auc']:.4f}, "
            f"loss {found['loss']:.4f}"
        )

    def test_that_are_rare_are_named_with_their_recall(self, clearprop, people, table_model):
        lines = people.read_text().splitlines()
        some = [line for line in lines if line.endswith(",yes")][:3]
        none = [line for line in lines if line.endswith(",no")][:30]
        Path("rare.csv").write_text("\n".join([lines[0], *some, *none]) + "\n")
        result = clearprop("evaluate", table_model, "rare.csv")
        first, others, rare, *_ = result.stdout.splitlines()
        assert first.startswith("rare.csv: 33 samples: balanced accuracy ")
        assert "(larger class 50.00%, linear model " in first
        assert others.startswith("  accuracy ")
        table = next(line for line in result.stdout.splitlines() if line.startswith("yes  "))
        _, samples, precision, recall = table.split()
        assert rare == (
            f"  'yes' is rare: {samples} of 33 samples, of which {recall} are found (recall); "
            f"{precision} of what is called so is it (precision)."
        )

    def test_told_worse_than_by_the_larger_class_are_doubted_with_what_to_type(
        self, clearprop, people, table_run
    ):
        turned = (
            people.read_text().replace(",yes", ",?").replace(",no", ",yes").replace(",?", ",no")
        )
        Path("turned.csv").write_text(turned)
        for place in (table_run, table_run / "model.safetensors"):
            said = clearprop("evaluate", place, "turned.csv").stdout
            assert (
                "This is no better than always naming the larger class: nothing that helps was "
                f"learned. To look for the reason: clearprop doctor {table_run}\n"
            ) in said

    def test_without_a_sample_have_no_recall(self, clearprop, people, table_model, strict_json):
        lines = people.read_text().splitlines()
        one = [lines[0], *(line for line in lines if line.endswith(",yes"))]
        Path("yes.csv").write_text("\n".join(one) + "\n")
        result = clearprop("evaluate", table_model, "yes.csv", "--json")
        assert result.exit_code == 0
        no, yes = strict_json(result.stdout)["classes"]
        assert no["recall"] is None
        assert yes["recall"] is not None
        assert "–" in clearprop("evaluate", table_model, "yes.csv").stdout

    def test_outside_those_of_the_model_are_refused(self, clearprop, people, table_model):
        Path("odd.csv").write_text("age,colour,weight,buys\n1,red,2,no\n1,red,2,perhaps\n")
        result = clearprop("evaluate", table_model, "odd.csv")
        assert result.exit_code == 1
        assert (
            "odd.csv: The class 'perhaps' (row 2) is none of the known classes; known are no, yes"
            in (result.stderr)
        )

    def test_in_a_test_set_outside_the_training_set_are_refused(self, clearprop, elsewhere):
        X = np.random.RandomState(0).rand(8, 3)
        np.savez("a.npz", x_train=X, y_train=[0, 1] * 4, x_test=X[:2], y_test=[0, 5])
        result = clearprop("train", "a.npz")
        assert result.exit_code == 1
        assert "Row 2 of 'y_test' is '5', which is none of the classes 0, 1" in result.stderr
        assert [path.name for path in elsewhere.iterdir()] == ["a.npz"]

    def test_of_a_test_set_count_alone(self, clearprop, array_model, strict_json):
        X = np.random.RandomState(1).randn(30, 6)
        y = (X[:, 0] > 0).astype(int)
        np.savez("a.npz", x_train=X, y_train=1 - y, x_test=X[:20], y_test=y[:20])
        found = strict_json(clearprop("evaluate", array_model, "a.npz", "--json").stdout)
        assert (found["test_set"], found["samples"]) == (True, 20)
        assert found["accuracy"] > 0.5
        assert clearprop("evaluate", array_model, "a.npz").stdout.startswith("the test set of a")


class TestNamesOfClasses:
    @pytest.fixture
    def renamed(self, photos):
        def to(**names):
            for name, new in names.items():
                (photos / name).rename(photos / new)
            return photos

        return to

    def test_that_are_near_are_matched_and_told(self, clearprop, renamed, picture_model):
        result = clearprop("evaluate", picture_model, renamed(bright="Brights", dark="DARK"))
        assert result.exit_code == 0
        assert "12 samples: accuracy 100.00%" in result.stdout
        assert "matched by name: Brights = bright, DARK = dark." in result.stderr

    def test_are_mapped_by_hand(self, clearprop, renamed, picture_model):
        photos = renamed(bright="day", dark="night")
        result = clearprop("evaluate", picture_model, photos)
        assert result.exit_code == 1
        assert "The class 'day' (day/0.png) is none of the known classes" in result.stderr
        assert "such as --map day=bright" in result.stderr
        result = clearprop(
            "evaluate", picture_model, photos, "--map", "day=bright", "--map", "night=dark"
        )
        assert result.exit_code == 0
        assert "12 samples: accuracy 100.00%" in result.stdout

    @pytest.mark.parametrize(
        ("mapped", "message"),
        [
            (["bright"], "--map takes NAME=CLASS"),
            (["=bright"], "--map takes NAME=CLASS"),
            (["bright=dark", "bright=bright"], "once for each NAME; found 'bright=bright'"),
            (["bird=dark"], "no class 'bird' to map. Found: bright, dark"),
            (["dark=bird"], "no class 'bird' to map to. Known: bright, dark"),
        ],
    )
    def test_can_t_be_mapped_otherwise(self, clearprop, photos, picture_model, mapped, message):
        options = [word for text in mapped for word in ("--map", text)]
        result = clearprop("evaluate", picture_model, photos, *options)
        assert result.exit_code == 2
        assert message in result.stderr


class TestValues:
    def test_have_no_names_to_map(self, clearprop):
        assert (
            clearprop("train", "diabetes", "--epochs", 1, "--folds", 0, "--out", "run").exit_code
            == 0
        )
        result = clearprop("evaluate", "run/model.safetensors", "diabetes", "--map", "a=b")
        assert result.exit_code == 2
        assert "predicts values, not classes" in result.stderr

    def test_are_told_by_how_far_they_are_off(self, clearprop):
        assert (
            clearprop("train", "diabetes", "--epochs", 2, "--folds", 0, "--out", "run").exit_code
            == 0
        )
        result = clearprop("evaluate", "run/model.safetensors", "diabetes")
        assert result.exit_code == 0
        assert (
            "442 samples that it has mostly learned from: no score for other samples: R² "
            in result.stdout
        )
        rows = result.stdout.splitlines()
        start = next(i for i, row in enumerate(rows) if row.startswith("furthest off"))
        off = [abs(float(row.split()[-1]) - float(row.split()[-2])) for row in rows[start + 1 :]]
        assert len(off) == 10
        assert off == sorted(off, reverse=True)


class TestOtherData:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ("digits", "digits: Found an array of uint8, expected a table"),
            ("iris", "iris: The column 'age' is missing"),
            ("nope.csv", "There is no file or folder nope.csv"),
        ],
    )
    def test_are_refused_by_name(self, clearprop, table_model, data, message):
        result = clearprop("evaluate", table_model, data)
        assert result.exit_code == 1
        assert message in result.stderr

    def test_without_the_target_are_refused(self, clearprop, table_model):
        Path("new.csv").write_text("age,colour,weight\n1,red,2\n")
        result = clearprop("evaluate", table_model, "new.csv")
        assert result.exit_code == 2
        assert "There is no column 'buys'" in result.stderr
