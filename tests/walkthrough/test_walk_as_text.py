"""What a walk says on a terminal, what is asked of it, and where numbers stop being finite."""

from textwrap import dedent

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import ShapeError, UnknownNameError, UsageError


@pytest.fixture
def net() -> cp.Network:
    """Two inputs, two hidden units, one output, with weights that are easy to follow."""
    net = cp.Network(
        [cp.Dense(2), cp.ReLU(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,)
    )
    net.parameters.assign(
        {
            "0.W": np.array([[0.5, -1.0], [0.25, 2.0]]),
            "0.b": np.array([0.1, -0.2]),
            "2.W": np.array([[1.5], [-0.5]]),
            "2.b": np.array([0.0]),
        }
    )
    return net


X, Y = np.array([[0.31, -0.07], [1.0, 2.0], [-1.0, 0.5]]), np.array([1, 0, 1])


def lines(text: str) -> list[str]:
    """Return lines without the last digits, which differ from processor to processor."""
    every = dedent(text).strip("\n").splitlines()
    return [line for line in every if not line.lstrip().startswith("(engine ")]


def test_a_layer_forward_in_the_engine_s_notation(net):
    written = str(cp.walk(net, X, Y, sample=1).of("0"))
    assert lines(written.partition("rows.\n\n")[2].partition("\n\nBackward")[0]) == lines("""
        Forward: layer 0, Dense(units=2)
        --------------------------------
        x is X.

        W (2, 2), weights
                        0          1
             0        0.5         -1
             1       0.25          2

        b (2,), biases
                        0          1
                      0.1       -0.2

        y (3, 2), output
          y = x W + b
          (3, 2) = (3, 2) (2, 2) + (2,)
                        0          1
             0     0.2375      -0.65
             1        1.1        2.8
             2     -0.275        1.8
          y[1,0] = x[1,0]*W[0,0] + x[1,1]*W[1,0] + b[0]
                 = 1*0.5 + 2*0.25 + 0.1
                 = 1.1
    """)


def test_a_layer_backward_in_the_course_s_notation(net):
    walked = cp.walk(net, X, Y, sample=1, notation="course")
    step = next(step for step in walked.steps if step.stage == "backward" and step.name == "2")
    assert [quantity.key for quantity in step.quantities] == ["dW2", "db2", "dA1"]
    assert lines(str(walked["dA1"])) == lines("""
        dA1 (2, 3), gradient with respect to the input
          dA1 = W2.T dZ2
          (2, 3) = (1, 2).T (1, 3)
                        0          1          2
             0    -0.6178     0.8433     -1.066
             1     0.2059    -0.2811     0.3555
          dA1[0,0] = W2[0,0]*dZ2[0,0]
                   = 1.5*(-0.4119)
                   = -0.6178
    """)


def test_one_number(net):
    entry = cp.walk(net, X, Y).entry("0.y[0,1]")
    assert lines(str(entry)) == lines("""
        y[0,1] = x[0,0]*W[0,1] + x[0,1]*W[1,1] + b[1]
               = 0.31*(-1) + (-0.07)*2 + (-0.2)
               = -0.65
    """)
    assert str(entry).endswith(f"(engine {entry.value!r}, operands {entry.total!r})")


def test_a_number_that_is_given(net):
    assert str(cp.walk(net, X, Y).entry("0.W[1,1]")) == "W[1,1] = 2  (given, not computed)"


def test_the_whole_names_samples_loss_and_prediction_and_fits_80_columns(net):
    written = str(cp.walk(net, X, Y, sample=2, optimizer=cp.AdamW(alpha=0.1)))
    loss, _ = net.loss_and_gradient(X, Y)
    assert written.splitlines()[1:3] == [
        f"3 samples in float64, loss {loss:.6g}",
        "Sample 2 is looked at: target 1, predicted 0",
    ]
    assert max(map(len, written.splitlines())) <= 80


def test_large_matrices_are_excerpts_with_the_sample_among_them():
    net = cp.Network([cp.Dense(90)], loss=cp.MeanSquaredError(), input_shape=(500,))
    random = np.random.RandomState(0)
    walked = cp.walk(net, random.randn(70, 500), random.randn(70, 90), sample=33)
    written = str(walked["0.y"])
    assert max(map(len, str(walked).splitlines())) <= 80
    table = str(walked.of("0")).split("y (70, 90), output")[1].splitlines()
    assert [line.split()[0] for line in table[4:11]] == ["0", "1", "2", "3", "...", "33", "..."]
    assert "y[33,0] = x[33,0]*W[0,0] + " in str(walked)
    assert "[495 more: " in written


def test_samples_that_are_pictures_are_shown_by_the_one_looked_at():
    net = cp.Network([cp.Flatten(), cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2, 3, 3))
    X = np.arange(36.0).reshape(2, 2, 3, 3)
    walked = cp.walk(net, X, [0, 0], sample=1)
    assert walked.entry("0.y[1,7]").arithmetic.symbols() == "x[1,0,2,1]"
    table = str(walked).split("X (2, 2, 3, 3), samples")[1].splitlines()
    assert table[2].split() == ["0", "18", "21", "24"]
    assert walked.to_dict()["steps"][0]["matrices"][0]["place"] == "[1,:,:,0]"


def test_inner_layers_are_named_by_their_place_and_say_what_goes_in():
    net = cp.Network(
        [
            cp.Dense(3),
            cp.Sequential((cp.Tanh(), cp.Dense(3))),
            cp.Residual((cp.Dense(2), cp.Tanh(), cp.Dense(3))),
            cp.Dense(1),
        ],
        loss=cp.MeanSquaredError(),
        input_shape=(2,),
    )
    walked = cp.walk(net, X, Y)
    notes = {(step.stage, step.name): step.note for step in walked.steps}
    forward = ["0", "1.0", "1.1", "2.0", "2.1", "2.2", "2", "3"]
    assert [name for stage, name in notes if stage == "forward"] == forward
    backward = ["3", "2.2", "2.1", "2.0", "2", "1.1", "1.0", "0"]
    assert [name for stage, name in notes if stage == "backward"] == backward
    assert notes["forward", "1.0"] == "x is y of layer 0."
    assert notes["forward", "2.0"] == "x is y of layer 1.1."
    assert notes["forward", "2"] == "x is y of layer 1.1. block is y of layer 2.2."
    assert notes["forward", "2.1"] == "x is y of layer 2.0."
    assert notes["backward", "2.2"] == "dy is dx of layer 3."
    assert notes["backward", "2"] == "dy is dx of layer 3. dblock is dx of layer 2.0."
    assert notes["backward", "1.1"] == "dy is dx of layer 2."
    assert notes["backward", "0"] == "dy is dx of layer 1.0."
    assert notes["backward", "3"] == "dy is dlogits of the loss."
    assert {step.name for step in walked.of("2").steps} == {"2", "2.0", "2.1", "2.2"}


class TestWhatIsAskedFor:
    def test_within_a_layer_a_symbol_is_enough(self, net):
        walked = cp.walk(net, X, Y)
        assert walked.of("2")["dW"] is walked["2.dW"]
        assert walked.of("2").entry(" dW[1, 0] ").name == "2.dW[1,0]"

    def test_a_single_number_needs_no_place(self, net):
        assert cp.walk(net, X, Y).entry("loss.loss").value == cp.walk(net, X, Y).loss

    @pytest.mark.parametrize("sample", [-1, 3])
    def test_a_sample_that_is_not_there(self, net, sample):
        with pytest.raises(UsageError, match=f"no sample {sample}: the batch has 3"):
            cp.walk(net, X, Y, sample=sample)

    def test_a_layer_that_is_not_there(self, net):
        with pytest.raises(UnknownNameError, match=r"no layer '7'.*Known: 0, 1, 2, input, loss"):
            cp.walk(net, X, Y).of("7")

    def test_a_matrix_that_is_not_there_or_not_one_alone(self, net):
        with pytest.raises(UnknownNameError, match=r"no matrix '0.dw'. Did you mean '0.dW'"):
            cp.walk(net, X, Y)["0.dw"]
        with pytest.raises(UnknownNameError, match="no matrix 'y'"):
            cp.walk(net, X, Y).entry("y[0,0]")

    @pytest.mark.parametrize("place", ["[3,0]", "[0,2]", "[0]", "[0,0,0]", ""])
    def test_an_entry_that_is_not_there(self, net, place):
        with pytest.raises(ShapeError, match=r"0\.y has shape \(3, 2\) and no entry"):
            cp.walk(net, X, Y).entry(f"0.y{place}")

    @pytest.mark.parametrize("name", ["0.y[0,", "0.y[a,b]", "0.y[-1,0]", "[0,0]", "", "0.y[0,0]]"])
    def test_an_entry_that_is_written_in_another_way(self, net, name):
        with pytest.raises(UsageError, match="written with its place"):
            cp.walk(net, X, Y).entry(name)

    @pytest.mark.parametrize("name", ["0.y[0,]", "0.y[,0]", "0.y[0,,0]", "0.y[ ]", "0.y[0 1]"])
    def test_a_place_with_a_gap(self, net, name):
        with pytest.raises(UsageError, match="comma"):
            cp.walk(net, X, Y).entry(name)

    @pytest.mark.parametrize(
        ("shape", "said"), [((2,), "is"), ((1, 3), "has 3"), ((1, 2, 2), "is")]
    )
    def test_pictures_of_another_shape(self, net, shape, said):
        with pytest.raises(UsageError, match=said):
            cp.walk(net, X, Y, picture_shape=shape)

    def test_no_samples_and_samples_of_another_shape(self, net):
        with pytest.raises(cp.ClearpropError):
            cp.walk(net, np.empty((0, 2)), np.empty(0))
        with pytest.raises(ShapeError):
            cp.walk(net, np.ones((3, 5)), Y)


class TestNumbersThatAreNotFinite:
    def test_in_the_input(self, net):
        broken = X.copy()
        broken[1, 1] = np.nan
        walked = cp.walk(net, broken, Y)
        assert walked.first_not_finite.name == "input.X[1,1]"
        assert "The first number that is not finite is input.X[1,1] = nan." in str(walked)
        assert walked.to_dict()["first_not_finite"] == "input.X[1,1]"

    def test_in_a_weight(self, net):
        net.parameters["2.W"][1, 0] = np.inf
        walked = cp.walk(net, X, Y)
        assert walked.first_not_finite.name == "2.W[1,0]"
        assert "  !! not finite from [1, 0] on" in str(walked)

    def test_that_arise_within_a_layer(self, net):
        net.parameters["0.W"][1, 1] = net.parameters["2.W"][1, 0] = 1e200
        walked = cp.walk(net, X, Y, notation="course")
        first = walked.first_not_finite
        assert (first.name, first.value) == ("Z2[0,1]", np.inf)
        assert first.arithmetic.numbers() == "1.5*1.1 + 1e+200*2e+200 + 0"
        assert first.total == np.inf

    @pytest.mark.parametrize("notation", ["engine", "course"])
    @pytest.mark.parametrize("size", [1e308, np.nan])
    @pytest.mark.parametrize(
        "loss", [cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy(), cp.MeanSquaredError()]
    )
    def test_of_any_size_are_written_everywhere(self, loss, size, notation):
        norms = [cp.BatchNorm(), cp.LayerNorm()] if notation == "engine" else []
        net = cp.Network(
            [cp.Flatten(), cp.Dense(12), *norms, cp.GELU(), cp.Dense(3)],
            loss=loss,
            input_shape=(4, 3, 3),
        )
        net.parameters["1.W"][0, 0] = size
        X = np.random.RandomState(0).standard_normal((20, 4, 3, 3))
        X[1, 0, 0, 0], X[2, 0, 0, 0] = size, -size
        y = np.eye(3)[np.arange(20) % 3]
        walked = cp.walk(net, X, y, sample=1, notation=notation, optimizer=cp.Adam())
        assert str(walked)
        assert walked.to_html()
        assert walked.to_dict()
        assert walked.first_not_finite is not None

    def test_none(self, net):
        assert cp.walk(net, X, Y).first_not_finite is None
        assert "!!" not in str(cp.walk(net, X, Y))


@pytest.mark.parametrize("notation", ["engine", "course"])
def test_names_stand_beside_the_numbers_of_features_and_classes(net, notation):
    names = {"feature_names": ["age", "size \x1b[1m"], "class_names": ["no", "yes"]}
    walked = cp.walk(net, X, Y, notation=notation, **names)
    assert "Classes: 0=no, 1=yes" in walked.facts
    engine = notation == "engine"
    features = {
        *(("input.X", "0.W", "0.dW", "0.W_new") if engine else ("X", "W1", "dW1", "W1_new")),
    }
    outputs = {
        *(("2.W", "2.b", "2.y", "2.dW", "2.db", "2.W_new", "2.b_new") if engine else ()),
        *(("loss.p", "loss.dlogits") if engine else ()),
        *(("W2", "b2", "Z2", "dW2", "db2", "W2_new", "b2_new", "A2", "dZ2") if not engine else ()),
    }
    told = {one.key: set(one.matrix.names.values()) for one in walked.quantities}
    assert {key for key, named in told.items() if ("age", "size \x1b[1m") in named} == features
    assert {key for key, named in told.items() if ("yes",) in named} == outputs
    text = str(walked)
    assert ("columns" if engine else "rows") + r": 0=age, 1=size \x1b[1m" in text
    assert "\x1b" not in text


def test_names_of_four_classes_are_those_of_the_shown_rows_and_columns():
    names = [f"input {n}" for n in range(20)]
    deep = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(20,))
    walked = cp.walk(deep, np.ones((2, 20)), [0, 2], feature_names=names, class_names=list("abc"))
    W = next(
        one
        for step in walked.to_dict()["steps"]
        for one in step["matrices"]
        if one["name"] == "0.W"
    )
    assert W["row_names"] == tuple(f"input {n}" for n in (0, 1, 2, 3, 4, 5, 6, 19))
    assert W["column_names"] == ("a", "b", "c")
    page = walked.to_html()
    assert '<th scope="row">19 <bdi title="input 19">input 19</bdi></th>' in page
    assert '<th scope="col">2 <bdi title="c">c</bdi></th>' in page


def test_without_names_nothing_is_said_of_them(net):
    walked = cp.walk(net, X, Y)
    assert not any(one.matrix.names for one in walked.quantities)
    assert "columns:" not in str(walked)
