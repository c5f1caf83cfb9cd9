"""What a program takes by its name out of what it reads, and the words that it finds there."""

import re

_HANDED = 2  # times that a table is handed on to another name
_LABEL = re.compile(
    r"^(label|target|class|species|diagnosis|outcome|survived|quality|y|output|result|type)$", re.I
)
LABELS = re.compile(
    r"(^|_)(y|ys|t|labels?|lbls?|lab|targets?|truth|classes|class|answers?|onehot|species)(_|\d|$)"
    r"|label|target|one_?hot|^y[_A-Z]?(tr|te|va|dev|data|batch|true)",
    re.I,
)
INPUTS = re.compile(
    r"(^|_)(x|xs|inputs?|data|dataset|features?|images?|imgs?|samples?|train|test|training|digits)"
    r"(_|\d|$)|image|input|feature|^x[_A-Z]?(tr|te|va|dev|data|batch)|data$",
    re.I,
)
LEARNED = re.compile(
    r"^[dmv]?[WUVb](\d|_|$|[hxyioufc]{1,2}\d?$)|weight|bias|theta|param|hidden|prev|chars|vocab",
    re.I,
)
"""Names of labels, of inputs, and of what a training has left."""

_NAMED = r"((?:\s*['\"][^'\"\n]+['\"]\s*,?)+)"


def is_label(name: str) -> bool:
    """Whether a column of some name holds labels."""
    return bool(_LABEL.match(name))


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


def names_asked(text: str) -> list[str]:
    """Return the names of data by which a program takes something out of anything."""
    names = dict.fromkeys(re.findall(r"\[['\"](\w+)['\"]\]", text))
    is_data = (one for one in names if LABELS.search(one) or INPUTS.search(one))
    return [one for one in is_data if not LEARNED.search(one)]
