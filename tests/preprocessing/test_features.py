"""Features are those that the network in the file computes, of the very file, and no others."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx_networks import FILTERS, save_network, weights

import clearprop as cp
from clearprop.data.pictures import backbone as backbones
from clearprop.data.pictures.backbone import Backbone, open_backbone
from clearprop.errors import DataError, MissingExtraError, UsageError
from clearprop.preprocessing import FeatureRecipe, Preprocessing


def pictures(count=20, shape=(8, 8, 3), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (count, *shape), np.uint8)


def by_hand(x, W):
    """The mean over places of the network's one convolution, by clearprop's own layers."""
    network = cp.Network(
        [cp.Conv2D(FILTERS, bias=False), cp.ReLU(), cp.GlobalAveragePool2D()],
        loss=cp.MeanSquaredError(),
        input_shape=x.shape[1:],
    )
    network.parameters["0.W"][...] = W.transpose(2, 3, 1, 0)
    return network.logits(x)


@pytest.fixture(autouse=True)
def nothing_opened(monkeypatch):
    """Let no test find the file, or the features, of another."""
    monkeypatch.setattr(backbones, "_opened", {})
    monkeypatch.setattr(backbones, "_memory", backbones._Memory())
    backbones._session.cache_clear()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "backbone.onnx"


MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class TestFeatures:
    @pytest.mark.parametrize(
        ("scale", "scaled"),
        [
            ("0-1", lambda x: x / 255),
            ("-1-1", lambda x: x / 127.5 - 1),
            ("0-255", lambda x: x.astype(float)),
            ("imagenet", lambda x: (x / 255 - MEAN) / STD),
        ],
    )
    @pytest.mark.parametrize("layout", ["nchw", "nhwc"])
    def test_are_what_the_last_layer_takes(self, path, layout, scale, scaled):
        shape = ("n", 3, 8, 8) if layout == "nchw" else ("n", 8, 8, 3)
        arrays = save_network(path, shape=shape, layout=layout, metadata={})
        backbone = open_backbone(path, scale=scale)
        assert (backbone.layout, backbone.size, backbone.output) == (layout, (8, 8), "features")
        x = pictures()
        found = backbone.features_of(x)
        assert found.dtype == np.float32
        expected = by_hand(scaled(x), arrays["W"])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())

    @pytest.mark.parametrize("batch", [1, 3, 7])
    def test_come_in_batches_of_a_fixed_size_too(self, path, batch):
        arrays = save_network(path, shape=(batch, 3, 8, 8))
        x = pictures(20)
        found = open_backbone(path).features_of(x)
        np.testing.assert_allclose(found, by_hand(x / 255, arrays["W"]), rtol=1e-4, atol=1e-5)

    def test_of_blue_first_and_of_half_precision(self, path):
        x = pictures()
        metadata = {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "Normalized_1_1"}
        arrays = save_network(path, metadata=metadata)
        expected = by_hand(x[..., ::-1] / 127.5 - 1, arrays["W"])
        np.testing.assert_allclose(
            open_backbone(path).features_of(x), expected, rtol=1e-4, atol=1e-5
        )
        save_network(path, metadata=metadata, kind=TensorProto.FLOAT16)
        backbones._session.cache_clear()
        found = open_backbone(path).features_of(x)
        np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())

    def test_grey_pictures_become_three_channels_and_colours_one(self, path):
        arrays = save_network(path)
        grey = pictures(shape=(8, 8))
        expected = by_hand(np.repeat(grey[..., np.newaxis], 3, axis=3) / 255, arrays["W"])
        found = open_backbone(path).features_of(grey)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        one = path.with_name("one.onnx")
        arrays = save_network(one, shape=("n", 1, 8, 8))
        x = pictures()
        expected = by_hand(x @ np.array([0.299, 0.587, 0.114])[:, np.newaxis] / 255, arrays["W"])
        found = open_backbone(one).features_of(x)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("ending", [(), ("Sigmoid",), ("Identity", "LogSoftmax")])
    def test_lie_before_the_last_weights_whatever_follows(self, path, ending):
        save_network(path, ending=ending)
        assert open_backbone(path).output == "features"

    def test_of_a_network_without_a_last_layer_are_its_output_the_mean_of_maps(self, path):
        arrays = save_network(path, pooled=False, ending=())
        backbone = open_backbone(path)
        assert (backbone.output, backbone.features) == ("maps", FILTERS)
        x = pictures()
        expected = by_hand(x / 255, arrays["W"])
        np.testing.assert_allclose(backbone.features_of(x), expected, rtol=1e-4, atol=1e-5)

    def test_may_be_another_tensor(self, path):
        arrays = save_network(path)
        x = pictures()
        found = open_backbone(path, output="logits").features_of(x)
        expected = by_hand(x / 255, arrays["W"]) @ arrays["D"]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
        with pytest.raises(DataError, match=r"no tensor 'mean'.*means, features, logits"):
            open_backbone(path, output="mean")

    def test_are_computed_once_for_a_picture(self, path, monkeypatch):
        save_network(path)
        backbone, x = open_backbone(path), pictures()
        first = backbone.features_of(x)
        monkeypatch.setattr(Backbone, "_run", lambda *_: pytest.fail("computed again"))
        np.testing.assert_array_equal(backbone.features_of(x[::-1]), first[::-1])

    def test_are_forgotten_where_there_are_too_many(self, path, monkeypatch):
        save_network(path)
        monkeypatch.setattr(backbones, "_REMEMBERED", 5 * FILTERS * 4)
        x = pictures()
        found = open_backbone(path).features_of(x)
        assert len(backbones._memory._kept) == 5
        np.testing.assert_array_equal(open_backbone(path).features_of(x), found)


class TestWhatAFileDoesNotSay:
    def test_is_asked_for_in_one_sentence(self, path):
        save_network(path, metadata={})
        with pytest.raises(UsageError, match=r"--features-scale imagenet\|0-1\|-1-1\|0-255"):
            open_backbone(path)
        save_network(path, shape=("n", 3, "h", "w"))
        with pytest.raises(UsageError, match=r"pictures of any size.*--size 224"):
            open_backbone(path)
        assert open_backbone(path, size=(12, 10)).size == (12, 10)
        save_network(path, shape=("n", "c", "h", "w"))
        with pytest.raises(UsageError, match="--features-layout nchw"):
            open_backbone(path, size=(8, 8))
        assert open_backbone(path, size=(8, 8), layout="nchw").features == FILTERS

    def test_is_refused_where_it_says_otherwise(self, path):
        save_network(path)
        with pytest.raises(UsageError, match="pictures of 8x8, found --size 9x8"):
            open_backbone(path, size=(9, 8))
        with pytest.raises(UsageError, match="is nchw, found --features-layout nhwc"):
            open_backbone(path, layout="nhwc")


class TestOtherFiles:
    @pytest.mark.parametrize("data", [b"", b"not a network", b"\x08", bytes(range(256))])
    def test_are_no_onnx(self, path, data):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"no ONNX file.*\.onnx"):
            open_backbone(path, scale="0-1")

    def test_cut_short_are_refused(self, path):
        save_network(path)
        whole = path.read_bytes()
        for end in range(1, len(whole), 97):
            path.write_bytes(whole[:end])
            with pytest.raises((DataError, UsageError)):
                open_backbone(path)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"shape": ("n", 5)},
                r"no network of pictures: its input 'images' has 2 axes \(any x 5\) of floats",
            ),
            ({"kind": TensorProto.INT64}, r"no network of pictures: .* of what is no float; exp"),
            ({"shape": ("n", 4, 8, 8)}, "pictures of 4 channels"),
            ({"inputs": ("images", "mask")}, r"takes 2 inputs \(images, mask\)"),
            ({"domain": "my.own"}, "needs operations of my.own.*none is ever loaded"),
        ],
    )
    def test_are_no_networks_of_pictures(self, path, changes, message):
        save_network(path, **{"layout": "nchw", **changes})
        with pytest.raises(DataError, match=message):
            open_backbone(path, layout="nchw")

    def test_that_keep_weights_elsewhere_are_refused(self, path):
        save_network(path)
        model = onnx.load(path)
        onnx.save(model, path, save_as_external_data=True, size_threshold=0)
        with pytest.raises(DataError, match="keeps its weights in other files"):
            open_backbone(path)

    def test_that_are_missing_or_too_large_are_named(self, path, monkeypatch):
        with pytest.raises(DataError, match="can't be read: No such file"):
            open_backbone(path)
        save_network(path)
        monkeypatch.setattr("clearprop.data.pictures.onnx_file.LARGEST_FILE", 100)
        with pytest.raises(DataError, match="more than 100 bytes"):
            open_backbone(path)

    def test_that_can_t_be_run_are_refused_with_the_reason(self, path):
        save_network(path)
        model = onnx.load(path)
        model.graph.node[0].input[1] = "D"  # weights of another shape
        onnx.save(model, path)
        with pytest.raises(DataError, match="can't be run: "):
            open_backbone(path)

    def test_whose_features_are_no_rows_are_refused(self, path):
        save_network(path)
        model = onnx.load(path)
        node = onnx.helper.make_node("Squeeze", ["features"], ["flat"])
        scalar = onnx.helper.make_node("ReduceSum", ["features"], ["all"], keepdims=0)
        model.graph.node.extend([node, scalar])
        onnx.save(model, path)
        with pytest.raises(DataError, match="expected floats, one row a picture, or maps"):
            open_backbone(path, output="all")


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
def test_a_missing_library_is_named_with_its_extra(path, monkeypatch, library):
    save_network(path)
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'clearprop\[onnx\]'"):
        open_backbone(path)


class TestRecipe:
    @pytest.fixture
    def recipe(self, path):
        save_network(path)
        data = cp.Dataset("made", "pictures", pictures(), np.arange(20) % 2, ("a", "b"))
        return cp.fit_recipe(replace(data, backbone=open_backbone(path)))

    def test_standardises_the_features_of_the_training_pictures(self, recipe):
        assert isinstance(recipe.inputs, FeatureRecipe)
        assert recipe.inputs.input_shape == (FILTERS,)
        X = recipe.inputs.transform(pictures(), np.float64)
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-5)
        dead = by_hand(pictures() / 255, weights()["W"]).max(axis=0) == 0
        np.testing.assert_allclose(X.std(axis=0), ~dead, rtol=1e-5)

    def test_travels_with_the_model_and_finds_its_file_beside_it(self, recipe, path, tmp_path):
        network = cp.Network(
            [cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(FILTERS,), seed=0
        )
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        cp.save(folder / "model.safetensors", cp.Model(network, recipe))
        assert str(tmp_path).encode() not in (folder / "model.safetensors").read_bytes()
        path.rename(folder / path.name)
        model = cp.load(folder / "model.safetensors")
        assert Preprocessing.from_config(recipe.to_config()) == recipe == model.preprocessing
        assert "by 6 features of backbone.onnx" in repr(model)
        x = pictures(seed=1)
        expected = network.predict_proba(model.preprocessing.inputs.transform(x, np.float64))
        np.testing.assert_allclose(model.predict_proba(x), expected)

    def test_refuses_another_file_and_says_which_it_needs(self, recipe, path, tmp_path):
        inputs = Preprocessing.from_config(recipe.to_config()).inputs
        backbones._opened.clear()
        with pytest.raises(DataError, match=r"backbone\.onnx, which is not there \(SHA-256"):
            inputs.transform(pictures(seed=2), np.float64)
        other = tmp_path / "other.onnx"
        save_network(other, seed=1)
        with pytest.raises(DataError, match="another network than the one"):
            inputs.at(other).transform(pictures(seed=2), np.float64)
        found = inputs.at(path).transform(pictures(seed=2), np.float64)
        np.testing.assert_array_equal(found, recipe.inputs.transform(pictures(seed=2), np.float64))

    def test_refuses_pictures_of_another_size(self, recipe):
        data = cp.Dataset(
            "made", "pictures", pictures(shape=(9, 8, 3)), np.arange(20) % 2, ("a", "b")
        )
        with pytest.raises(DataError, match="takes pictures of 8x8, found 9 x 8 x 3"):
            cp.fit_recipe(replace(data, backbone=recipe.inputs.backbone))

    @pytest.mark.parametrize(
        "changes",
        [
            {"size": [8]},
            {"size": [0, 8]},
            {"size": [10_000, 8]},
            {"layout": "hwc"},
            {"scale": "1-2"},
            {"features": 10**9},
            {"features": "6"},
            {"channels": 4},
            {"file": "../up.onnx"},
        ],
    )
    def test_that_a_file_describes_wrongly_is_refused(self, recipe, changes):
        config = recipe.to_config()
        config["inputs"]["backbone"] |= changes
        with pytest.raises(UsageError):
            Preprocessing.from_config(config)
