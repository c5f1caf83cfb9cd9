"""What a program takes by its name out of what it reads, and the words that it finds there."""

import re

_HANDED = 2  # times that a table is handed on to another name
_LABELS = re.compile(
    r"^(label|target|class|species|diagnosis|outcome|survived|quality|y|output|result|type)$", re.I
)
_NAMED = r"((?:\s*['\"][^'\"\n]+['\"]\s*,?)+)"


def is_label(name: str) -> bool:
    """Whether a column of some name holds labels."""
    return bool(_LABELS.match(name))


def columns_asked(text: str, features: int) -> list[str]:
    """Return the columns that a program takes by name out of what it reads; those of labels last.

    Parameters
    ----------
    text : str
        Its source.
    features : int
        The number of columns that there are where it names those of labels alone.
    """
    frames = set(re.findall(r"(\w+)\s*=\s*(?:pd|pandas)\.read_\w+", text))
    for _ in range(_HANDED):
        for name, value in re.findall(r"(\w+)[ ]*=[ ]*([^=\n]+)", text):
            if frames & set(re.findall(r"(?<![.'\"])\b\w+", value)):
                frames.add(name)
    found: dict[str, None] = {}
    for frame in frames:
        taken = rf"\b{frame}(?:\.drop\(|\[)\s*(?:columns\s*=\s*)?\[?{_NAMED}"
        for part in re.findall(taken, text):
            found |= dict.fromkeys(re.findall(r"['\"]([^'\"]+)['\"]", part))
    labels = [one for one in found if is_label(one) or len(found) == 1]
    inputs = [one for one in found if one not in labels]
    if labels and not inputs:
        inputs = [f"x{number}" for number in range(features)]
    return [*inputs, *labels]


def words_in(text: str, column: str) -> list[str]:
    """Return the words that a program looks for in a column, and has numbers for."""
    place = rf"(?:\[['\"]{re.escape(column)}['\"]\]|\.{re.escape(column)}\b)"
    tables = re.findall(rf"{place}\.(?:map|replace)\(\s*\{{([^}}]*)\}}", text)
    found = [word for one in tables for word in re.findall(r"['\"]([^'\"]+)['\"]\s*:", one)]
    lists = re.findall(rf"{place}\.replace\(\s*\[([^\]]*)\]", text)
    found += [word for one in lists for word in re.findall(r"['\"]([^'\"]+)['\"]", one)]
    equal = re.findall(rf"{place}\s*==\s*['\"]([^'\"]+)['\"]", text)
    return list(dict.fromkeys([*found, *equal, *(["other"] if equal else [])]))


def keys_asked(text: str) -> list[str]:
    """Return the keys by which a program takes something out of what it has pickled."""
    names = set(re.findall(r"(\w+)\s*=\s*(?:\w*pickle|pkl|joblib|dill)\.load\(", text))
    found = [re.findall(rf"\b{name}\[['\"](\w+)['\"]\]", text) for name in sorted(names)]
    return list(dict.fromkeys(key for each in found for key in each))
