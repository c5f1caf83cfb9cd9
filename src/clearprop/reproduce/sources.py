"""Where the data of the published systems are looked for."""

from dataclasses import dataclass
from pathlib import Path

from clearprop.errors import DataError, UsageError


@dataclass(frozen=True)
class Source:
    """A folder of data that experiments need.

    Parameters
    ----------
    name : str
        What the folder is called.
    sign : str
        A glob pattern of something that lies in it.
    what : str
        What it holds, in words.
    """

    name: str
    sign: str
    what: str

    def find(self, data: Path | None) -> Path:
        """Return the folder itself.

        Parameters
        ----------
        data : pathlib.Path or None
            The folder that holds it, or the folder itself.

        Raises
        ------
        UsageError
            If `data` is None.
        DataError
            If it is not there.
        """
        if data is None:
            raise UsageError(
                f"This experiment needs {self.what}. Give the folder that holds {self.name} with "
                "--data DIR."
            )
        for folder in (data / self.name, data):
            if any(folder.glob(self.sign)):
                return folder
        raise DataError(
            f"{data} does not hold {self.what}: looked for {data / self.name / self.sign} and "
            f"{data / self.sign}. Give the folder that holds {self.name} with --data."
        )

    def is_in(self, data: Path | None) -> bool:
        """Whether `find` would find it."""
        try:
            self.find(data)
        except (DataError, UsageError):
            return False
        return True


CATVNONCAT = Source(
    "catvnoncat", "train/cat", "the course's 209 + 50 pictures, train and test by class"
)
MNIST = Source("mnist", "train*images*idx3-ubyte*", "the four IDX files of MNIST")
CATS_1652 = Source("cats_1652", "cats", "852 pictures in cats/ and 800 in random_images/")
