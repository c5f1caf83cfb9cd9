"""Folders of pictures: classes, parts, and what is passed over."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearprop.data import load
from clearprop.data.pictures import files
from clearprop.data.pictures.depth import FULL, Depth
from clearprop.data.pictures.folders import as_deep, read_folder
from clearprop.errors import DataError

RANDOM = np.random.RandomState(3)


def write(path: Path, *, values: int | None = None) -> Path:
    """Write a picture of 8x8, whose suffix says the format; with values, one of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RANDOM.randint(0, 256, (8, 8, 3)).astype(np.uint8)
    Image.fromarray(pixels if values is None else np.full((8, 8), values, np.uint16)).save(path)
    return path


def make_folder(root: Path, **classes: int) -> Path:
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            write(root / name / f"{number}.png")
    return root


def test_classes_are_the_folders_sorted_and_files_are_sorted_in_them(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", dog=2, cat=3)
    dataset = load(root, size=(8, 8))
    assert dataset.class_names == ("cat", "dog")
    assert dataset.y.tolist() == [0, 0, 0, 1, 1]
    assert dataset.sources == ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png")
    np.testing.assert_array_equal(dataset.X[3], np.asarray(Image.open(root / "dog/0.png")))
    assert dataset.test is None


def test_train_and_test_folders_become_a_set_and_its_test_set(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", dog=2, cat=3)
    make_folder(tmp_path / "test", dog=1)
    dataset = load(tmp_path)
    assert len(dataset) == 5
    assert dataset.test is not None
    assert dataset.test.y.tolist() == [1]
    assert dataset.test.class_names == ("cat", "dog")
    assert dataset.test.sources == ("test/dog/0.png",)


def test_a_class_that_only_the_test_set_has_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", dog=2, cat=3)
    make_folder(tmp_path / "test", horse=1)
    with pytest.raises(DataError, match=r"test: The class 'horse' is none of.*cat, dog"):
        load(tmp_path)


def test_broken_files_are_left_out_and_listed_and_other_files_passed_over(tmp_path: Path) -> None:
    root = make_folder(tmp_path, dog=2, cat=3)
    (root / "cat" / "notes.txt").write_text("not a picture")
    (root / "cat" / ".DS_Store").write_bytes(b"\0")
    (root / "cat" / "._0.png").write_bytes(b"\0")
    (root / "cat" / "1b.jpg").write_text("text")
    (root / ".git").mkdir()
    dataset = load(root)
    assert dataset.counts() == {"cat": 3, "dog": 2}
    assert [problem.source for problem in dataset.problems] == [str(root / "cat" / "1b.jpg")]
    assert "4 files were passed over: 3 hidden, 1 .txt." in dataset.notes


def test_what_is_passed_over_is_counted_by_reason(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=1, cat=1)
    for number in range(8):
        (tmp_path / "cat" / f"{number}.TXT").touch()
    for number in range(3):
        (tmp_path / "dog" / f"notes{number}").touch()
    (tmp_path / "dog" / ".hidden").touch()
    assert load(tmp_path).notes[-1] == (
        "12 files were passed over: 8 .txt, 3 without a suffix, 1 hidden."
    )
    for number in range(5):
        (tmp_path / f"a.x{number}").touch()
        (tmp_path / f"a.a long suffix, {number}").touch()
    told = load(tmp_path).notes[-1]
    assert told.startswith("22 files were passed over: 8 .txt, 5 with another suffix, 3 without")
    assert told.endswith("4 others.")


def test_a_folder_without_class_folders_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no class folders\. Expected pictures in .*no pict"):
        load(tmp_path)
    write(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("a.png,cat")
    found = r"1 picture \(a\.png\); 1 file was passed over: 1 \.csv\. No classes .*\. To predict"
    with pytest.raises(DataError, match=found):
        load(tmp_path)


def test_an_empty_class_folder_is_told_and_left_out(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=2, cat=1, bird=0)
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert f"{tmp_path / 'bird'} holds no pictures: left out." in dataset.notes


def test_an_empty_class_folder_that_leaves_a_single_class_is_an_error(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=2, bird=0)
    with pytest.raises(DataError, match=r"in one folder only, dog; .*bird holds no pictures"):
        load(tmp_path)


def test_a_class_without_a_readable_picture_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=4)
    (tmp_path / "bird").mkdir()
    (tmp_path / "bird" / "a.jpg").write_text("text")
    with pytest.raises(DataError, match=r"bird has no picture that can be read: .*a\.jpg is not"):
        load(tmp_path)


def test_mostly_broken_folders_are_refused(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=1, cat=1)
    for number in range(3):
        (tmp_path / "cat" / f"b{number}.png").write_text("text")
    with pytest.raises(DataError, match="3 of the 5 pictures"):
        load(tmp_path)


def test_a_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(tmp_path, dog=1)

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="can't be read: Permission denied"):
        load(tmp_path)


# Folders at any depth


def test_pictures_in_deeper_folders_belong_to_the_class_around_them(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=2, cat=1)
    make_folder(tmp_path / "cat", monday=2, tuesday=1)
    write(tmp_path / "cat" / "tuesday" / "late" / "a.jpg")
    dataset = load(tmp_path)
    assert dataset.counts() == {"cat": 5, "dog": 2}
    assert dataset.sources is not None
    assert "cat/tuesday/late/a.jpg" in dataset.sources
    assert any(note.startswith("4 pictures (0.png, ...) lie in") for note in dataset.notes)


def test_wrappers_are_gone_through_and_told(tmp_path: Path) -> None:
    inner = make_folder(tmp_path / "archive" / "PetImages", Cat=2, Dog=1)
    (tmp_path / "archive" / "readme.txt").touch()
    make_folder(tmp_path / "__MACOSX", Cat=3)
    dataset = load(tmp_path)
    assert dataset.counts() == {"Cat": 2, "Dog": 1}
    assert dataset.notes[0] == f"The class folders lie in {inner}."
    assert dataset.sources is not None
    assert dataset.sources[0] == "archive/PetImages/Cat/0.png"


def test_a_class_folder_that_holds_the_classes_again_is_told(tmp_path: Path) -> None:
    make_folder(tmp_path / "dataset", cat=1, dog=1)
    make_folder(tmp_path / "dataset" / "dataset", cat=1, dog=1)
    notes = "\n".join(load(tmp_path / "dataset", size=(8, 8)).notes)
    assert f"{tmp_path / 'dataset' / 'dataset'} is taken for a class" in notes
    assert "named like those beside it, cat, dog." in notes


def test_folds_that_hold_the_classes_are_told(tmp_path: Path) -> None:
    for fold in ("fold0", "fold1", "fold2"):
        make_folder(tmp_path / fold, cat=1, dog=1)
    dataset = load(tmp_path, size=(8, 8))
    assert dataset.class_names == ("fold0", "fold1", "fold2")
    assert any(
        note.startswith("Each of the classes fold0, fold1, fold2 holds folders cat, dog.")
        for note in dataset.notes
    )


def test_other_folders_within_class_folders_are_not_taken_for_classes(tmp_path: Path) -> None:
    make_folder(tmp_path / "cat", young=1, old=1)
    make_folder(tmp_path / "dog", large=1, old=1)
    notes = "\n".join(load(tmp_path, size=(8, 8)).notes)
    assert "is taken for a class" not in notes
    assert "Each of" not in notes


def test_a_table_of_labels_beside_pictures_is_said_not_to_be_read(tmp_path: Path) -> None:
    make_folder(tmp_path, images=2)
    (tmp_path / "labels.csv").write_text("file,label\n0.png,cat\n1.png,dog\n")
    notes = load(tmp_path, size=(8, 8)).notes
    assert notes[-1] == (
        "1 file was passed over: 1 .csv. No classes are read from .csv: folders name them."
    )


def test_links_in_a_circle_don_t_hang(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", **{f"class{number}": 1 for number in range(12)})
    for one in range(12):
        (root / f"class{one}" / "up").symlink_to(root)
        for other in range(12):
            (root / f"class{one}" / f"to{other}").symlink_to(root / f"class{other}")
    dataset = load(root)
    assert len(dataset.counts()) == 12
    assert "in links that lead back" in dataset.notes[-1]


def test_links_that_lead_nowhere_or_to_themselves_are_problems(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=2, cat=2)
    (tmp_path / "cat" / "a.png").symlink_to(tmp_path / "cat" / "a.png")
    (tmp_path / "dog" / "b.png").symlink_to(tmp_path / "gone.png")
    dataset = load(tmp_path)
    assert dataset.counts() == {"cat": 2, "dog": 2}
    first, second = (str(problem) for problem in dataset.problems)
    assert "a.png can't be read" in first
    assert "b.png can't be read: No such file" in second


def test_a_class_folder_may_be_a_link(tmp_path: Path) -> None:
    make_folder(tmp_path / "elsewhere", dogs=2)
    make_folder(tmp_path / "photos", cat=1)
    (tmp_path / "photos" / "dog").symlink_to(tmp_path / "elsewhere" / "dogs")
    assert load(tmp_path / "photos").counts() == {"cat": 1, "dog": 2}


def test_pictures_beside_class_folders_are_told(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=2, cat=1)
    write(tmp_path / "a.jpg")
    note = f"1 picture (a.jpg) beside the class folders in {tmp_path} without a class: left out."
    assert note in load(tmp_path).notes


def test_pictures_that_change_their_size_are_told(tmp_path: Path) -> None:
    make_folder(tmp_path, dog=2, cat=1)
    assert load(tmp_path, size=(8, 8)).notes == ()
    assert load(tmp_path).notes == ("Pictures of 8x8 are brought to 64x64.",)
    Image.new("RGB", (30, 20)).save(tmp_path / "cat" / "a.png")
    note = "Pictures of 2 sizes, from 8x8 to 20x30, are brought to 64x64."
    assert load(tmp_path).notes == (note,)


def sized(root: Path, *sizes: tuple[int, int]) -> Path:
    """Make two classes of pictures of those widths and heights, one of each in each class."""
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for number, size in enumerate(sizes):
            Image.new("RGB", size, (number, 0, len(name))).save(root / name / f"{number}.png")
    return root


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ([(96, 96)], 96),
        ([(500, 95)], 64),  # the shorter side counts
        ([(64, 64)], 64),
        ([(20, 20), (200, 100), (120, 300)], 96),
        ([(20, 20), (20, 20), (120, 300)], 64),
    ],
)
def test_pictures_that_are_mostly_larger_are_brought_to_a_larger_size(
    tmp_path: Path, sizes: list[tuple[int, int]], side: int
) -> None:
    assert load(sized(tmp_path / "photos", *sizes)).X.shape[1:] == (side, side, 3)


def test_many_pictures_are_brought_to_a_small_size_however_large_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = sized(tmp_path / "photos", (100, 100), (100, 100))
    monkeypatch.setattr(files, "_MANY", 5)
    assert load(root).X.shape[1:] == (96, 96, 3)
    monkeypatch.setattr(files, "_MANY", 4)
    assert load(root).X.shape[1:] == (64, 64, 3)


def test_only_pictures_to_train_on_decide_how_large_all_are(tmp_path: Path) -> None:
    sized(tmp_path / "train", (100, 100))
    sized(tmp_path / "test", (20, 20))
    dataset = load(tmp_path)
    assert dataset.test is not None
    assert dataset.X.shape[1:] == dataset.test.X.shape[1:] == (96, 96, 3)


def test_what_is_no_picture_does_not_decide_how_large_the_others_are(tmp_path: Path) -> None:
    root = sized(tmp_path / "photos", (100, 100), (100, 100), (100, 100))
    (root / "cat" / "a.png").write_text("<html>not found</html>")
    os.mkfifo(root / "cat" / "b.png")
    assert load(root).X.shape[1:] == (96, 96, 3)


# Parts of the data


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Train", "Valid", "Test"),
        ("training_set", "validation_set", "test_set"),
        ("TRAINING", "dev", "eval"),
        ("seg_train", "seg_val", "seg_test"),
        ("train-images", "validation images", "testing"),
        ("trainset", "valset", "test1"),
    ],
)
def test_parts_are_known_by_their_usual_names(
    tmp_path: Path, train: str, validation: str, test: str
) -> None:
    make_folder(tmp_path / train, dog=2, cat=3)
    make_folder(tmp_path / validation, dog=1, cat=1)
    make_folder(tmp_path / test, dog=2)
    dataset = load(tmp_path)
    assert dataset.counts() == {"cat": 3, "dog": 2}
    assert dataset.validation is not None
    assert dataset.validation.counts() == {"cat": 1, "dog": 1}
    assert dataset.test is not None
    assert dataset.test.counts() == {"cat": 0, "dog": 2}
    assert f"{tmp_path / train} is there to learn from." in dataset.notes
    assert any("is there to validate with." in note for note in dataset.notes)


def test_folders_named_alike_but_for_words_that_matter_are_classes(tmp_path: Path) -> None:
    make_folder(tmp_path, train=2, car=3, bus=1)
    assert load(tmp_path).class_names == ("bus", "car", "train")


def test_each_part_may_be_wrapped_again(tmp_path: Path) -> None:
    make_folder(tmp_path / "seg_train" / "seg_train", dog=2, cat=3)
    make_folder(tmp_path / "seg_test" / "seg_test", dog=1, cat=1)
    make_folder(tmp_path, seg_pred=4)
    dataset = load(tmp_path)
    assert dataset.counts() == {"cat": 3, "dog": 2}
    assert dataset.test is not None
    assert dataset.test.counts() == {"cat": 1, "dog": 1}
    assert any("seg_pred (4 pictures)" in note and "left out" in note for note in dataset.notes)


def test_class_folders_may_hold_the_parts(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        make_folder(tmp_path / name, train=3, test=1)
    dataset = load(tmp_path)
    assert dataset.counts() == {"cat": 3, "dog": 3}
    assert dataset.test is not None
    assert dataset.test.sources == ("cat/test/0.png", "dog/test/0.png")


@pytest.mark.parametrize("inside", ["", "test", "unknown", "images"])
def test_a_test_set_without_classes_is_told_and_left_alone(tmp_path: Path, inside: str) -> None:
    make_folder(tmp_path / "train", dog=2, cat=3)
    (tmp_path / "test").mkdir()
    where = tmp_path / "test" / inside
    write(where / "a.jpg")
    write(where / "b.jpg")
    dataset = load(tmp_path)
    assert dataset.test is None
    assert (
        f"{where} (2 pictures) has no class folders, so it is left alone. "
        f"To predict them: clearprop predict MODEL {where}"
    ) in dataset.notes


def test_an_empty_part_is_told(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", dog=2, cat=3)
    (tmp_path / "val").mkdir()
    dataset = load(tmp_path)
    assert dataset.validation is None
    assert f"{tmp_path / 'val'} holds no pictures." in dataset.notes


def test_classes_of_another_part_are_matched_by_near_names(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", dog=2, Cat=3)
    make_folder(tmp_path / "test", dogs=1, cat=2)
    dataset = load(tmp_path)
    assert dataset.test is not None
    assert dataset.test.counts() == {"Cat": 2, "dog": 1}
    assert any("matched by name: cat = Cat, dogs = dog." in note for note in dataset.notes)


def test_two_folders_for_one_part_are_an_error(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", dog=2, cat=3)
    make_folder(tmp_path / "Training", dog=2, cat=3)
    with pytest.raises(DataError, match=r"Training, train, which all seem .* to learn from; keep"):
        load(tmp_path)


def test_parts_without_one_to_train_on_are_an_error(tmp_path: Path) -> None:
    make_folder(tmp_path / "val", dog=2, cat=3)
    make_folder(tmp_path / "test", dog=2, cat=3)
    with pytest.raises(DataError, match="test, val, but no folder to train on"):
        load(tmp_path)


def test_training_pictures_without_class_folders_are_an_error(tmp_path: Path) -> None:
    make_folder(tmp_path, train=2, test1=3)
    expected = r"train has no class folders\. Expected pictures in train/CLASS/, one folder a class"
    with pytest.raises(DataError, match=rf"{expected}; found 2 pictures \(0\.png"):
        load(tmp_path)


def test_classes_that_differ_by_little_are_told(tmp_path: Path) -> None:
    make_folder(tmp_path, cat=2, Cats=3, dog=1)
    assert load(tmp_path).notes[0].startswith("The classes Cats, cat differ by little")


# Depth


def test_the_training_pictures_say_how_deep_all_are(tmp_path: Path) -> None:
    write(tmp_path / "train" / "dog" / "a.png", values=900)
    write(tmp_path / "train" / "cat" / "a.png", values=100)
    write(tmp_path / "test" / "cat" / "a.png", values=300)
    dataset = load(tmp_path, channels=1)
    assert dataset.depth == Depth(0, 1023)
    assert dataset.X[:].max(axis=(1, 2)).tolist() == [100 >> 2, 900 >> 2]
    assert dataset.test is not None
    assert dataset.test.X[:].max() == 300 >> 2


def test_other_pictures_are_read_as_deep_as_those_of_the_model(tmp_path: Path) -> None:
    write(tmp_path / "dog" / "a.png", values=900)
    write(tmp_path / "cat" / "a.png", values=100)
    dataset = read_folder(tmp_path, (8, 8))
    assert as_deep(dataset, dataset.depth) is dataset
    assert as_deep(dataset, Depth(0, 4095)).X[:].max() == 900 >> 4
    assert as_deep(dataset, None).X[:].max() == 900 >> 8
    assert as_deep(dataset, None).depth == FULL
