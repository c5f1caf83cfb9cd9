"""Pictures in a request: files of any format that is read, as they are or in base64."""

import base64
import binascii
from collections.abc import Sequence
from io import BytesIO
from typing import Any, ClassVar

from clearprop.configuration import Json
from clearprop.data import Raw
from clearprop.data.pictures.depth import FULL
from clearprop.data.pictures.files import read_pictures
from clearprop.data.pictures.formats import PictureBytes
from clearprop.preprocessing import PictureRecipe
from clearprop.service.problems import RefusedError
from clearprop.service.rows import Rows, kind_of

_MOST = 100  # whose pixels lie in memory together
_DATA = "data:"
_GREY = 128


class Pictures(Rows):
    """Pictures of any size and colour, brought to the recipe's as files are.

    Parameters
    ----------
    recipe : PictureRecipe
    outputs : int
    """

    key = "pictures"
    pictures: ClassVar[tuple[str, ...]] = ("image/png", "image/jpeg", "image/webp")

    def __init__(self, recipe: PictureRecipe, outputs: int) -> None:
        super().__init__(outputs)
        self.most = min(self.most, _MOST)
        self.recipe = recipe

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON schema of one picture."""
        told = "The bytes of a picture file (PNG, JPEG, WebP and others), of any size."
        return {"type": "string", "contentEncoding": "base64", "description": told}

    @property
    def example(self) -> Json:
        """A grey dot."""
        from PIL import Image

        file = BytesIO()
        Image.new("L", (1, 1), _GREY).save(file, "PNG")
        return base64.b64encode(file.getvalue()).decode()

    def read(self, items: Sequence[Any]) -> tuple[Raw, tuple[str, ...]]:
        """Return pixels of uint8, shape (N, H, W, 3) or (N, H, W)."""
        for place, item in enumerate(items):
            if not isinstance(item, str):
                expected = "expected text: a file in base64"
                raise RefusedError(400, f"{_named(place)} is {kind_of(item)}, {expected}.")
        return self._decoded([_from_base64(_named(at), item) for at, item in enumerate(items)])

    def read_one(self, content: bytes) -> tuple[Raw, tuple[str, ...]]:
        """Return the pixels of the picture that is a whole body."""
        return self._decoded([PictureBytes("The picture", content)])

    def _decoded(self, pictures: list[PictureBytes]) -> tuple[Raw, tuple[str, ...]]:
        recipe = self.recipe
        read = read_pictures(pictures, recipe.size, recipe.channels, recipe.depth or FULL)
        if read.problems:
            raise RefusedError(422, f"{read.problems[0]}.")
        names = [str(picture) for picture in pictures]
        likeness = recipe.likeness
        unlike = () if likeness is None else likeness.unlike(read.pixels, names)
        return read.pixels, (*unlike, *read.notes)


def _named(place: int) -> str:
    return f"pictures[{place}]"


def _from_base64(name: str, item: str) -> PictureBytes:
    if item.startswith(_DATA):
        raise RefusedError(
            422, f"{name} is a data URL; leave out what stands before the comma, and the comma."
        )
    try:
        return PictureBytes(name, base64.b64decode(item, validate=True))
    except (binascii.Error, ValueError) as error:
        raise RefusedError(422, f"{name} is not in base64: {error}.") from error
