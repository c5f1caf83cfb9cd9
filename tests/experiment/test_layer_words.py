"""The words that name layers: what they mean, and what is said where they mean nothing."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.experiment import Settings, fitting, read_settings
from clearprop.experiment.building import build_network
from clearprop.experiment.defaults import Extent
from clearprop.experiment.layer_words import checked, convolution, layer_of
from clearprop.experiment.settings import resolve
from clearprop.experiment.values import Layers

HE = cp.HeNormal()


def pictures(*shape: int) -> cp.Preprocessing:
    """Return the recipe of two pictures of a shape."""
    X = np.zeros((2, *shape), np.uint8)
    return cp.fit_recipe(cp.Dataset("faces", "pictures", X, np.arange(2), ("a", "b")))


def resolved(shape: tuple[int, ...], samples: int = 1000, **given: Any) -> Settings:
    extent = Extent(samples, int(np.prod(shape)), has_test_set=False, shape=shape)
    return resolve(Settings(data="x", **given), extent)


@pytest.mark.parametrize(
    ("word", "layer"),
    [
        ("conv16", cp.Conv2D(16, init=HE)),
        ("conv7x5", cp.Conv2D(7, 5, init=HE)),
        ("conv8s2", cp.Conv2D(8, 3, 2, init=HE)),
        ("conv8x1s3", cp.Conv2D(8, 1, 3, init=HE)),
        ("pool", cp.MaxPool2D(2)),
        ("avgpool", cp.AveragePool2D(2)),
        ("globalavg", cp.GlobalAveragePool2D()),
    ],
)
def test_each_word_has_its_layer(word: str, layer: cp.Layer) -> None:
    assert layer_of(word, HE, bias=True) == layer
    assert Layers().parse(word) == (word,)


@given(
    st.lists(
        st.sampled_from(["pool", "avgpool"])
        | st.tuples(st.integers(1, 999), st.sampled_from([1, 3, 5]), st.integers(1, 3)).map(
            lambda numbers: "conv{}x{}s{}".format(*numbers)
        )
    ),
    st.lists(st.integers(1, 10**7)),
)
def test_what_is_typed_is_written_as_short_as_it_can_be_and_means_the_same(
    words: list[str], units: list[int]
) -> None:
    found = checked([*words, *units])
    written = Layers().write(found)
    assert checked(Layers().parse(written)) == found
    assert [layer_of(one, HE, bias=True) for one in found if isinstance(one, str)] == [
        layer_of(one, HE, bias=True) for one in words
    ]
    assert len(written) <= len(",".join(map(str, [*words, *units])) or "none")


def test_usual_kernels_and_strides_are_not_written() -> None:
    assert checked(["conv16x3", "conv16s1", "conv4x5s1"]) == ("conv16", "conv16", "conv4x5")
    assert convolution("pool") is None
    assert convolution(16) is None


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("conv16,pol,128", "no layer 'pol', the second of 'conv16,pol,128'. Did you mean 'pool'?"),
        ("cnov16", "no layer 'cnov16'. Did you mean 'conv16'? Known: numbers of units such as 128"),
        ("conv,pool", "no layer 'conv', the first of 'conv,pool'"),
        ("conv16x", "no layer 'conv16x'"),
        ("conv" + "9" * 30, "no layer 'conv999"),
        ("conv0,8", "'conv0' asks for 0 filters; expected 1 to 10000000"),
        ("conv8x0", "'conv8x0' asks for 0 places a side; expected 1 to 1000"),
        ("conv8s2000", "'conv8s2000' asks for 2000 places a step; expected 1 to 1000"),
        ("8,pool", "pool stands behind 8 in '8,pool', and takes pictures, where 8 units have no"),
        ("globalavg,conv8", "means of whole channels have no places. Write the layers of pict"),
        ("0", "takes whole numbers from 1 to 10000000 as units, found 0"),
        ("8,-1", "found -1, the second of '8,-1'"),
        ("conv8,,8", "'conv8,,8' is no list of layers. Write the units of each hidden layer"),
        ("", "'' is no list of layers"),
    ],
)
def test_a_word_that_means_nothing_is_named_with_its_place_and_what_is_known(
    typed: str, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Layers().parse(typed)


def test_words_are_kept_in_files(tmp_path: Path) -> None:
    settings = Settings(data="photos", layers=["conv16", "pool", 128])
    settings.save(tmp_path / "config.toml")
    assert 'layers = ["conv16", "pool", 128]' in (tmp_path / "config.toml").read_text()
    assert Settings(**read_settings(tmp_path / "config.toml")) == settings
    assert Settings(**json.loads(json.dumps(settings.to_json()))) == settings


def test_words_become_layers_with_what_belongs_behind_them() -> None:
    settings = resolved(
        (8, 8, 3), layers=["conv4", "pool", "conv6x1", 5], dropout=0.3, batch_norm=True
    )
    net = build_network(settings, pictures(8, 8, 3))
    assert net.layers == (
        *(cp.Conv2D(4, init=HE, bias=False), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D()),
        *(cp.Conv2D(6, 1, init=HE, bias=False), cp.BatchNorm(), cp.ReLU()),
        *(cp.Flatten(), cp.Dense(5, HE), cp.ReLU(), cp.Dropout(0.3), cp.Dense(1, HE)),
    )
    settings = resolved((8, 8), layers=["conv4", "globalavg"], batch_norm=False)
    assert build_network(settings, pictures(8, 8)).layers == (
        *(cp.Conv2D(4, init=HE), cp.ReLU(), cp.GlobalAveragePool2D(), cp.Dense(1, HE)),
    )


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((64, 64, 3), "conv16,pool,conv32,pool,conv64,pool,conv64,pool,64"),
        ((28, 28), "conv16,pool,conv32,pool,conv64,pool,64"),
        ((12, 90, 1), "conv16,pool,conv32,pool,64"),
        (
            (400, 300, 3),
            "conv16,pool,conv32,pool,conv64,pool,conv64,pool,conv64,pool,conv64,pool,64",
        ),
    ],
)
def test_pictures_take_convolutions_as_many_as_their_size_allows(
    shape: tuple[int, ...], expected: str
) -> None:
    found = resolved(shape)
    assert Layers().write(found.layers or ()) == expected
    assert (found.batch_norm, found.dropout, found.learning_rate) == (True, 0.3, 0.003)
    build_network(found, pictures(*shape[:2], *shape[2:]) if shape[-1] != 1 else _arrays(shape))


def _arrays(shape: tuple[int, ...]) -> cp.Preprocessing:
    X = np.random.RandomState(0).normal(size=(4, *shape))
    return cp.fit_recipe(cp.Dataset("maps", "array", X, np.arange(4) % 2, ("a", "b")))


@pytest.mark.parametrize(
    ("shape", "given"),
    [
        ((12288,), {}),
        ((8, 8), {}),
        ((11, 40, 3), {}),
        ((20, 20, 200), {}),  # nobody says that these are colours
        ((4, 20, 20, 3), {}),
        ((64, 64, 3), {"network": "dense"}),
        ((64, 64, 3), {"optimizer": "lbfgs"}),
    ],
    ids=str,
)
def test_what_is_no_picture_and_who_asks_for_it_takes_dense_layers(
    shape: tuple[int, ...], given: dict[str, Any]
) -> None:
    found = resolved(shape, **given)
    assert found.layers == (256, 128)
    assert found.batch_norm is False


def test_a_dense_network_of_pictures_is_that_of_before() -> None:
    found, before = resolved((64, 64, 3), network="dense"), resolved((12288,))
    assert found.changed({"network": "auto"}) == before


@pytest.mark.parametrize("shape", [(3, 3), (8, 8), (9, 64, 5)])
def test_convolutions_may_be_asked_for_where_they_are_not_the_default(
    shape: tuple[int, ...],
) -> None:
    found = resolved(shape, network="convolution")
    assert str((found.layers or ("",))[0]).startswith("conv")
    assert cp.Flatten() in build_network(found, _arrays(shape)).layers


@pytest.mark.parametrize(
    ("shape", "given", "message"),
    [
        ((30,), {"network": "convolution"}, "--network convolution is for pictures, whose numbers"),
        ((30,), {"layers": ["conv8", 4]}, "--layers conv8,4 is for pictures, whose numbers have"),
        ((9, 9), {"network": "convolution", "layers": [8]}, "--layers 8, which has no convolution"),
        ((9, 9), {"network": "dense", "layers": ["pool"]}, "which has convolutions or pools"),
    ],
    ids=str,
)
def test_networks_that_can_not_be_are_refused(
    shape: tuple[int, ...], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        resolved(shape, **given)


def test_pictures_too_small_for_their_pools_are_said_to_be_so() -> None:
    settings = resolved((6, 6, 3), layers=["pool", "pool", "pool", 4])
    with pytest.raises(UsageError) as caught:
        build_network(settings, pictures(6, 6, 3))
    assert str(caught.value).startswith(
        "--layers pool,pool,pool,4 can't be made for pictures of 6×6×3: Layer 2: MaxPool2D"
    )
    assert "Leave a pool out, or bring them to a larger --size." in str(caught.value)


def test_feature_maps_beyond_half_of_memory_are_refused_before_anything_is_made() -> None:
    settings = resolved((300, 300, 3), layers=["conv5000", "conv5000"])
    with pytest.raises(UsageError) as caught:
        build_network(settings, pictures(300, 300, 3), samples=1000)
    assert "batches of 32 needs about" in str(caught.value)
    assert "Lower --batch-size or --size, or take fewer filters" in str(caught.value)


def test_a_full_batch_counts_with_all_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = resolved((8, 8), layers=["conv4", "globalavg"], batch_size=0, batch_norm=False)
    # A convolution and a ReLU of 8 x 8 x 4, 4 means and a logit: 517 float32, and as many back.
    monkeypatch.setattr(fitting, "_memory", lambda: 2 * (517 * 4 * 2 * 100 + 45 * 4 * 4))
    build_network(settings, pictures(8, 8), samples=100)
    with pytest.raises(UsageError, match="batches of 101 needs"):
        build_network(settings, pictures(8, 8), samples=101)


@pytest.mark.parametrize(
    ("samples", "given", "expected"),
    [
        (900, {}, ("0.2", "0", 0)),
        (9_999, {}, ("0.2", "0", 0)),
        (10_000, {}, ("0.2", "0.1", 25)),
        (900, {"validation": "0.3"}, ("0.2", "0.3", 100)),
        (900, {"patience": 5}, ("0.2", "0.2", 5)),
        (900, {"threshold": "f1"}, ("0.2", "0.2", 100)),
        (900, {"network": "dense"}, (None, None, None)),  # folds
    ],
    ids=str,
)
def test_convolutions_learn_from_all_of_few_pictures_that_give_no_score(
    samples: int, given: dict[str, Any], expected: tuple[str | None, str | None, int | None]
) -> None:
    found = resolved((28, 28), samples, **given)
    assert (found.test, found.validation, found.patience) == expected
    assert found.folds == (5 if found.test is None else 0)
