"""Files of estimators in the commands: columns by name or by place, and the labels of the fit."""

from pathlib import Path

import numpy as np
import pytest

import clearprop as cp

pandas = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RANDOM = np.random.RandomState(0)
FRAME = pandas.DataFrame(RANDOM.randn(60, 3), columns=["width", "height", "depth"])
X = FRAME.to_numpy()
SIZES = np.array(["small", "middle", "large"])[np.digitize(X[:, 0], [-0.5, 0.5])]
SETTINGS = {"max_iter": 20, "learning_rate_init": 0.02, "random_state": 0}


def classifier(given=FRAME, y=SIZES, **settings):
    return cp.MLPClassifier(8, **SETTINGS, **settings).fit(given, y)


def regressor(given, y):
    return cp.MLPRegressor(hidden_layer_sizes=8, **SETTINGS).fit(given, y)


@pytest.fixture
def predicted(clearprop, strict_json):
    """Save an estimator and a table, and return what `predict --json` says of each row."""

    def predict(estimator, table):
        estimator.save("net.safetensors")
        table.to_csv("new.csv", index=False)
        result = clearprop("predict", "net.safetensors", "new.csv", "--json")
        assert result.exit_code == 0, result.stderr
        return strict_json(result.stdout)["predictions"]

    return predict


class TestPrediction:
    def test_finds_columns_by_name_in_any_order(self, predicted):
        net = classifier()
        answers = predicted(net, FRAME[["depth", "width", "height"]])
        assert [answer["prediction"] for answer in answers] == net.predict(FRAME).tolist()
        shares = [[answer["probabilities"][name] for name in net.classes_] for answer in answers]
        np.testing.assert_allclose(shares, net.predict_proba(FRAME), rtol=1e-12)
        assert answers[2]["source"] == "new.csv row 3"

    def test_takes_columns_in_their_order_where_no_names_are_known(self, predicted):
        net = classifier(X, np.digitize(X[:, 0], [0.0]))
        answers = predicted(net, FRAME.rename(columns={"width": "anything"}))
        assert [answer["prediction"] for answer in answers] == [*map(str, net.predict(X).tolist())]

    @pytest.mark.parametrize(
        ("labels", "names"),
        [
            ((0.0, 1.0), {"0", "1"}),
            ((7, 12), {"7", "12"}),
            ((False, True), {"False", "True"}),
        ],
    )
    def test_spells_labels_as_tables_do(self, predicted, labels, names):
        answers = predicted(classifier(y=np.array(labels)[(X[:, 0] > 0).astype(int)]), FRAME)
        assert {*answers[0]["probabilities"]} == names
        assert {answer["prediction"] for answer in answers} == names

    def test_of_values_is_the_estimator_s(self, predicted):
        one = regressor(FRAME, X @ [1, 2, 3])
        answers = [answer["prediction"] for answer in predicted(one, FRAME)]
        np.testing.assert_allclose(answers, one.predict(FRAME), rtol=1e-12)
        two = regressor(X.astype(np.float32), X[:, :2])
        answers = [answer["prediction"] for answer in predicted(two, FRAME)]
        np.testing.assert_allclose(answers, two.predict(X.astype(np.float32)), rtol=1e-4)

    def test_without_probabilities_says_the_class_alone(self, clearprop, predicted):
        net = classifier(loss="hinge")
        answers = predicted(net, FRAME)
        assert [answer["prediction"] for answer in answers] == net.predict(FRAME).tolist()
        assert {*answers[0]} == {"source", "prediction"}
        header, first, *_ = clearprop("predict", "net.safetensors", "new.csv").stdout.splitlines()
        assert header.split() == ["sample", "prediction"]
        assert first.split() == ["new.csv", "row", "1", answers[0]["prediction"]]
        for option in (("--top", 1), ("--proba",), ("--show",)):
            result = clearprop("predict", "net.safetensors", "new.csv", *option)
            assert result.exit_code == 2
            assert "this model gives no" in result.stderr.lower()
        assert clearprop("predict", "net.safetensors", "new.csv", "--out", "p.csv").exit_code == 0
        assert pandas.read_csv("p.csv").columns.tolist() == [*FRAME.columns, "prediction"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("width,height\n1,2\n", "The column 'depth' is missing; found width, height. Did you"),
            ("width,height,depth\n1,2,3\n1,2,deep\n", "Row 2 of column 'depth' is missing, and"),
            ("width,height,depth\n1,2,3\n1,,3\n", "Row 2 of column 'height' is missing, and"),
            ("width,height,depth\n1,2,1e39\n", "Row 1 of column 'depth' is 1e+39"),
        ],
    )
    def test_of_columns_that_don_t_fit_is_refused_by_name(self, clearprop, text, message):
        classifier(FRAME.astype(np.float32)).save("net.safetensors")
        Path("new.csv").write_text(text)
        result = clearprop("predict", "net.safetensors", "new.csv")
        assert result.exit_code == 1
        assert "new.csv: " in result.stderr
        assert message in result.stderr
        assert result.stdout == ""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a,b\n1,2\n", "new.csv: The samples have shape (2,), expected (3,)"),
            ("a,b,c\n1,2,\n", "new.csv: X[0, 2] is nan"),
            ("a,b,c\n1,2,deep\n", "Row 1 of column 'c' is 'deep', expected a number"),
        ],
    )
    def test_of_another_number_of_columns_is_refused(self, clearprop, text, message):
        regressor(X, X[:, 0]).save("net.safetensors")
        Path("new.csv").write_text(text)
        result = clearprop("predict", "net.safetensors", "new.csv")
        assert result.exit_code == 1
        assert message in result.stderr

    def test_of_several_labels_or_a_single_one_is_not_for_commands(self, clearprop):
        FRAME.to_csv("new.csv", index=False)
        for y in (np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int), np.zeros(60)):
            net = classifier(y=y)
            net.save("net.safetensors")
            assert (cp.load("net.safetensors").predict(FRAME) == net.predict(FRAME)).all()
            result = clearprop("predict", "net.safetensors", "new.csv")
            assert result.exit_code == 2
            assert "saved without preprocessing" in result.stderr


class TestEvaluation:
    @pytest.mark.parametrize("place", [0, 1, 3])
    def test_finds_the_target_beside_the_features(self, clearprop, strict_json, place):
        net = classifier()
        net.save("net.safetensors")
        table = FRAME.copy()
        table.insert(place, "size", SIZES)
        table.to_csv("known.csv", index=False)
        found = strict_json(clearprop("evaluate", "net.safetensors", "known.csv", "--json").stdout)
        assert found["accuracy"] == pytest.approx(net.score(FRAME, SIZES))
        assert [report["name"] for report in found["classes"]] == ["large", "middle", "small"]

    @pytest.mark.parametrize(
        ("columns", "message"),
        [(["a", "b"], "has 'a', 'b' besides those"), ([], "has no column besides those")],
    )
    def test_asks_for_one_target(self, clearprop, columns, message):
        classifier().save("net.safetensors")
        FRAME.assign(**dict.fromkeys(columns, 1)).to_csv("known.csv", index=False)
        result = clearprop("evaluate", "net.safetensors", "known.csv")
        assert result.exit_code == 1
        assert message in result.stderr

    def test_takes_columns_in_their_order_where_no_names_are_known(self, clearprop, strict_json):
        y = X @ [1, 2, 3]
        net = regressor(X, y)
        net.save("net.safetensors")
        FRAME.assign(y=y).to_csv("known.csv", index=False)
        found = strict_json(clearprop("evaluate", "net.safetensors", "known.csv", "--json").stdout)
        assert found["r2"] == pytest.approx(net.score(X, y))

    def test_without_probabilities_names_mistakes_as_they_come(self, clearprop):
        net = classifier(loss="hinge")
        net.save("net.safetensors")
        FRAME.assign(size=SIZES).to_csv("known.csv", index=False)
        wrong = np.flatnonzero(net.predict(FRAME) != SIZES)
        lines = clearprop("evaluate", "net.safetensors", "known.csv").stdout.splitlines()
        start = lines.index(f"{len(wrong)} mistakes:")
        rows = [int(line.split()[1]) - 1 for line in lines[start + 2 :]]
        assert rows == wrong[:10].tolist()


def test_show_names_columns_and_classes(clearprop):
    classifier().save("net.safetensors")
    shown = clearprop("show", "net.safetensors").stdout
    assert "columns width (number), height (number), depth (number)" in shown
    assert "large, middle, small" in shown
    assert "target" not in shown
    classifier(X).save("net.safetensors")
    assert "arrays of 3 numbers\n" in clearprop("show", "net.safetensors").stdout
