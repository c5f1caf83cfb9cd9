"""Make the example files of README: ``python docs/examples/make.py``."""

import csv
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).parent


def flats(rows: int = 600) -> list[list[str]]:
    """Return an invented table of flats to rent, as untidy as tables are."""
    draw = random.Random(3)  # noqa: S311 - an example, no secret
    districts = {"Harbour": 1.25, "Old Town": 1.4, "Northside": 0.85, "Mill Hill": 1.0}
    lines = [["flat", "district", "rooms", "area", "built", "balcony", "listed", "rent"]]
    for number in range(1, rows + 1):
        district = draw.choice([*districts])
        rooms = draw.choice([1, 2, 2, 3, 3, 4, 5])
        area = rooms * draw.uniform(20, 28)
        built = draw.randint(1890, 2020)
        balcony = draw.random() < 0.5
        rent = (150 + 11 * area) * districts[district] * draw.gauss(1, 0.07)
        rent *= (1.08 if balcony else 1) * (1.15 if built > 2000 else 1)
        lines.append(
            [
                f"F{number:04}",
                district,
                str(rooms),
                f"{area:.1f} m²" if draw.random() < 0.97 else "n/a",
                str(built) if draw.random() < 0.9 else "",
                "yes" if balcony else "no",
                f"{draw.randint(1, 28)}.{draw.randint(1, 12)}.2025",
                f"€ {rent:,.0f}",
            ]
        )
    return lines


def three() -> Image.Image:
    """Return a three as a pen draws it: light on dark."""
    picture = Image.new("L", (160, 160))
    pen = ImageDraw.Draw(picture)
    pen.arc((42, 8, 112, 80), 190, 90, fill=255, width=22)
    pen.arc((42, 72, 116, 150), 270, 170, fill=255, width=22)
    return picture.rotate(-4).filter(ImageFilter.GaussianBlur(4))


if __name__ == "__main__":
    with (HERE / "flats.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(flats())
    three().save(HERE / "three.png")
