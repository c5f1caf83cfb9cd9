"""From settings and data to a trained model."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearprop as cp
from clearprop.data.pictures.depth import Depth
from clearprop.errors import ClearpropError, DataError, UsageError
from clearprop.experiment import Settings, Task, learn, read_settings, set_task
from clearprop.experiment.evaluation import evaluate
from clearprop.experiment.loading import load_dataset, load_for
from clearprop.experiment.prediction import predict_files
from clearprop.experiment.settings import settings_in

IRIS = cp.load_data("iris")


def task(**given: object) -> Task:
    settings = Settings(**({"data": "iris", "layers": (4,), "epochs": 3, "folds": 0} | given))
    return set_task(settings, IRIS)


def test_the_recipe_has_seen_neither_the_fifth_that_scores_nor_the_one_that_chooses() -> None:
    found = task()
    assert Counter(found.test.y.tolist()) == {0: 10, 1: 10, 2: 10}
    assert Counter(found.validation.y.tolist()) == {0: 8, 1: 8, 2: 8}  # a fifth of the rest
    parts = (found.train, found.validation, found.test)
    rows = {source for part in parts for source in part.sources}
    assert len(rows) == len(IRIS) == sum(map(len, parts))
    assert found.recipe == cp.fit_recipe(found.train)
    assert found.recipe != cp.fit_recipe(IRIS)
    assert (found.settings.test, found.settings.validation) == ("0.2", "0.2")


def test_nothing_is_held_out_on_request() -> None:
    found = task(validation="0", test="0")
    assert found.validation is found.test is None
    assert len(found.train) == 150
    assert "validation_loss" not in learn(found).history.columns


def test_validation_may_be_data_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "held.npz"
    moons = cp.load_data("moons")
    np.savez(path, X=moons.X[::5], y=np.array(moons.class_names)[moons.y[::5]])
    settings = Settings(data="moons", layers=(4,), validation=str(path), epochs=2)
    found = set_task(settings, moons)
    assert len(found.validation) == len(moons) // 5
    assert (len(found.train), len(found.test)) == (320, 80)  # a fifth still gives the score
    assert "validation_accuracy" in learn(found).history.columns
    both = set_task(settings.changed({"test": str(path)}), moons)
    assert (len(both.train), both.test.sources) == (400, both.validation.sources)


def photos(root: Path, highest: int = 900) -> Path:
    """Write folders to train and to validate; of 16 bits, the dogs three times as bright."""
    for place, count in (("train/cat", 6), ("train/dog", 6), ("valid/cats", 2), ("valid/dogs", 3)):
        (root / place).mkdir(parents=True)
        for number in range(count):
            level = highest if "dog" in place else highest // 3
            pixels = np.full((4, 4), level - number, np.uint16)
            Image.fromarray(pixels).save(root / place / f"{number}.png")
    return root


@pytest.mark.parametrize(
    ("given", "chooses"),
    [
        ({"folds": 0}, {"cat": 1, "dog": 1}),
        ({"validation": "0.5"}, {"cat": 3, "dog": 3}),
        ({"validation": "0"}, None),
        ({}, None),  # every fold chooses
    ],
    ids=str,
)
def test_samples_that_came_to_validate_with_give_the_score_where_none_came_to_test_with(
    tmp_path: Path, given: dict[str, str], chooses: dict[str, int] | None
) -> None:
    settings = Settings(data=str(photos(tmp_path)), size=(4, 4), layers=(4,), epochs=2, **given)
    found = set_task(settings, load_dataset(settings))
    assert found.test.counts() == {"cat": 2, "dog": 3}
    assert all(source.startswith("valid/") for source in found.test.sources)
    assert (found.validation and found.validation.counts()) == chooses
    rest = found.train.sources + (found.validation.sources if chooses else ())
    assert len(rest) == 12
    assert all(source.startswith("train/") for source in rest)
    assert found.notes == (
        "The samples that came to validate with give the score, and choose nothing.",
    )


@pytest.mark.parametrize("test", ["0", "0.5"])
def test_samples_that_came_to_validate_with_choose_where_others_test(
    tmp_path: Path, test: str
) -> None:
    settings = Settings(data=str(photos(tmp_path)), size=(4, 4), layers=(4,), epochs=2, test=test)
    found = set_task(settings, load_dataset(settings))
    assert found.validation.counts() == {"cat": 2, "dog": 3}
    assert (found.test and found.test.counts()) == (None if test == "0" else {"cat": 3, "dog": 3})
    assert "validation_accuracy" in learn(found).history.columns


@pytest.mark.parametrize("given", [{}, {"folds": 0}, {"test": "0.5"}, {"validation": "0"}], ids=str)
def test_a_run_that_used_them_is_repeated_from_its_settings(
    tmp_path: Path, given: dict[str, str]
) -> None:
    data = str(photos(tmp_path / "photos"))
    settings = Settings(data=data, size=(4, 4), layers=(4,), epochs=2, **given)
    found = set_task(settings, load_dataset(settings))
    found.settings.save(tmp_path / "config.toml")
    again = Settings(**read_settings(tmp_path / "config.toml"))
    repeated = set_task(again, load_dataset(again))
    assert repeated.settings == found.settings
    for part in ("train", "validation", "test"):
        ours, theirs = getattr(repeated, part), getattr(found, part)
        assert (ours and ours.sources) == (theirs and theirs.sources)


def test_pictures_of_16_bits_are_as_bright_in_every_part_and_at_prediction(tmp_path: Path) -> None:
    root = photos(tmp_path)
    settings = Settings(data=str(root), size=(4, 4), layers=(4,), epochs=2)
    found = set_task(settings, load_dataset(settings))
    assert found.recipe.inputs.depth == Depth(0, 1023)
    assert found.train.X.max() == found.test.X.max() == 900 >> 2
    read = cp.preprocessing.read_inputs([root / "valid/cats/0.png"], found.recipe)
    assert read.raw.max() == 300 >> 2
    model = learn(found).model
    dim = photos(tmp_path / "dim", highest=200)
    assert load_for(model, str(dim)).X.max() == 200 >> 2
    assert (
        set_task(
            settings.changed({"validation": str(dim / "train")}), load_dataset(settings)
        ).validation.X.max()
        == 200 >> 2
    )


@pytest.mark.parametrize("which", ["test", "validation"])
@pytest.mark.parametrize("share", ["1", "-0.1", "1.5", "nan", "inf"])
def test_a_share_that_is_none_is_refused(which: str, share: str) -> None:
    with pytest.raises(UsageError, match=f"A {which} share lies between 0 and 1, found {share}"):
        task(**{which: share})


@pytest.mark.parametrize("which", ["test", "validation"])
def test_data_to_hold_against_that_are_not_there_are_named(which: str) -> None:
    with pytest.raises(ClearpropError, match=r"nowhere\.csv"):
        task(**{which: "nowhere.csv"})


def visits(tmp_path: Path) -> Path:
    """Write a table of 30 patients with 4 visits each, a day apart."""
    path = tmp_path / "visits.csv"
    random_state = np.random.RandomState(0)
    lines = ["patient,day,pulse,ill"]
    for visit in range(120):
        pulse = random_state.randn() * 10 + 70
        lines.append(f"p{visit % 30},{visit},{pulse:.1f},{'yes' if pulse > 70 else 'no'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_rows_of_a_group_are_held_out_together_and_its_column_is_no_input(tmp_path: Path) -> None:
    path = visits(tmp_path)
    settings = Settings(data=str(path), layers=(4,), epochs=2, l2=0.1, group="patient")
    found = set_task(settings, load_dataset(settings))
    patients = [
        {int(source[4:]) % 30 for source in part.sources}
        for part in (found.train, found.validation, found.test)
    ]
    assert len(found.test) == 24 == 4 * len(patients[2])
    assert len(found.validation) == 20 == 4 * len(patients[1])
    assert sum(map(len, patients)) == 30 == len(set().union(*patients))  # nobody is in two parts
    assert [column.name for column in found.recipe.inputs.columns] == ["pulse"]
    assert set(found.recipe.inputs.ignored) == {"patient", "day"}  # days that count the rows
    assert found.notes == (
        "To score with: 6 of 30 groups of 'patient', 24 of 120 rows (20.0%).",
        "To choose the epoch with: 5 of 24 groups of 'patient', 20 of 96 rows (20.8%).",
        "'patient' is left out of the inputs, as rows are held out by it.",
    )
    found.settings.save(tmp_path / "config.toml")
    again = set_task(settings_in(tmp_path / "config.toml"), load_dataset(settings))
    assert again.test.sources == found.test.sources
    assert again.validation.sources == found.validation.sources
    assert (again.recipe, again.settings) == (found.recipe, found.settings)
    # The file may have the column, or not, where the model is used.
    model = learn(found).model
    bare = tmp_path / "bare.csv"
    bare.write_text(
        "".join(line.partition(",")[2] for line in path.read_text().splitlines(keepends=True))
    )
    scores = [evaluate(model, load_for(model, str(one))).score for one in (path, bare)]
    prepared = []
    for one in (path, bare):
        with predict_files(model, [one]) as answers:
            prepared.append(answers.parts[0].prepared)
            assert answers.notes == ()
    assert scores[0] == scores[1]
    np.testing.assert_array_equal(*prepared)


def test_the_latest_rows_are_held_out(tmp_path: Path) -> None:
    settings = Settings(data=str(visits(tmp_path)), layers=(4,), l2=0.1, time="day", test="0.25")
    found = set_task(settings, load_dataset(settings))
    assert found.test.sources == tuple(f"row {row}" for row in range(91, 121))
    assert found.validation.sources == tuple(f"row {row}" for row in range(73, 91))
    assert found.train.sources == tuple(f"row {row}" for row in range(1, 73))
    assert found.notes == (
        "To score with: 30 of 120 rows (25.0%), those from day = 90 on.",
        "To choose the epoch with: 18 of 90 rows (20.0%), those from day = 72 on.",
    )
    assert "day" in found.train.X.names


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"group": "patient", "time": "day"}, "by --group or by --time, and not by both"),
        (
            {"group": "patient", "validation": "other.csv", "test": "0"},
            "--test 0 with --validation other.csv holds none of",
        ),
        (
            {"time": "day", "validation": "0", "test": "0"},
            "--time says which .* --test 0 with --validation 0 holds none of",
        ),
        ({"group": "patient", "folds": 5}, "leave --group out, or say --folds 0"),
        ({"time": "day", "folds": 5}, "leave --time out, or say --folds 0"),
        ({"group": "doctor"}, "no column 'doctor'"),
        ({"time": "ill"}, "'ill' is the target of .*: give --time another one"),
    ],
)
def test_what_can_t_be_followed_is_refused(
    tmp_path: Path, given: dict[str, str], message: str
) -> None:
    settings = Settings(data=str(visits(tmp_path)), **given)
    with pytest.raises(UsageError, match=message):
        set_task(settings, load_dataset(settings))


def test_the_same_settings_make_the_same_model_file(tmp_path: Path) -> None:
    for name, seed in (("first", 3), ("second", 3), ("third", 4)):
        cp.save(tmp_path / name, learn(task(seed=seed, dropout=0.2, batch_norm=True)).model)
    first, second, third = ((tmp_path / name).read_bytes() for name in ("first", "second", "third"))
    assert first == second
    assert first != third


def test_the_model_knows_its_settings_and_what_it_reached() -> None:
    run = learn(task())
    last = run.history.rows[-1]
    assert run.model.training == {
        "settings": run.task.settings.to_json(),
        "stopped": "finished",
        **{name: value for name, value in last.items() if name != "seconds"},
    }


def test_after_early_stopping_the_summary_is_that_of_the_best_epoch() -> None:
    run = learn(task(epochs=60, patience=2, learning_rate=0.3, schedule="constant"))
    assert run.history.best_epoch < len(run.history)
    assert run.model.training["epoch"] == run.history.best_epoch
    assert run.model.training["validation_loss"] == min(run.history["validation_loss"])


def test_a_run_that_diverges_leaves_finite_weights() -> None:
    run = learn(task(learning_rate=1e30, optimizer="sgd", schedule="constant"))
    assert "with a learning rate of 1e+30" in str(run.diverged)
    assert run.history.stopped == run.model.training["stopped"] == "diverged"
    assert np.isfinite(run.model.network.parameters.data).all()


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    class PullOut(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            if run.epoch == 2:
                raise KeyError

    checkpoint = cp.Checkpoint(tmp_path / "checkpoint", 0)
    whole = learn(task())
    with pytest.raises(KeyError):
        learn(task(), callbacks=[PullOut()], checkpoint=checkpoint)
    resumed = learn(task(), checkpoint=checkpoint, resume=True)
    np.testing.assert_array_equal(
        resumed.model.network.parameters.data, whole.model.network.parameters.data
    )


def test_data_are_loaded_as_the_settings_say(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n" + "1.5,x,2.5\n2.5,y,3.5\n" * 4)
    dataset = load_dataset(Settings(data=str(path), target="b"))
    assert dataset.class_names == ("x", "y")
    assert len(load_dataset(Settings(data="moons"), str(path))) == 8


def test_values_that_are_all_the_same_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "same.csv"
    path.write_text("a,y\n" + "".join(f"{row},2.5\n" for row in range(10)))
    settings = Settings(data=str(path), task="regress", target="y")
    with pytest.raises(DataError, match=r"every value of 'y' that is trained on is 2\.5"):
        set_task(settings, load_dataset(settings))


def test_the_column_of_groups_may_be_dropped_and_is_not_said_to_be_used(tmp_path: Path) -> None:
    for drop in (None, ("patient",)):
        settings = Settings(data=str(visits(tmp_path)), layers=(4,), group="patient", drop=drop)
        dataset = load_dataset(settings)
        assert dataset.in_words()[1:3] == [
            "Columns: 1 used: pulse.",
            "Left out: patient (category), day (identifier).",
        ]
        found = set_task(settings, dataset)
        assert len(found.test) == 24
        assert found.train.X.names == ("pulse",)


def test_rows_may_follow_a_time_that_is_not_learned_from(tmp_path: Path) -> None:
    settings = Settings(data=str(visits(tmp_path)), layers=(4,), time="day", drop=("day",))
    dataset = load_dataset(settings)
    assert "day" in dataset.in_words()[2]
    found = set_task(settings, dataset)
    assert found.test.sources == tuple(f"row {row}" for row in range(97, 121))
    for part in (found.train, found.validation, found.test):
        assert part.X.names == ("patient", "pulse")
    assert [column.name for column in found.recipe.inputs.columns] == ["patient", "pulse"]
