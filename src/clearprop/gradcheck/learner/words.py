"""What is said of a learner's file, in English: every sentence by its key."""

_ENGLISH = {
    # The file.
    "not there": "There is no file {file}. Check the path.",
    "other file": "{file} is neither a .py file nor a notebook (.ipynb).",
    "no notebook": "{file} is no notebook that can be read: {reason}.",
    "cell": "{file}, cell {number}",
    "fails to run": "{file} can't be checked, because running it fails. Its own traceback:",
    "fails": "{file} can't be checked, because one of its functions fails. Its own traceback:",
    "ended itself": (
        "{file} ended the process that it ran in, with exit code {exit_code}, before it could be "
        "checked."
    ),
    "hangs": (
        "{file} was still running after {timeout} s, in line {line}, in {where}. Look for a loop "
        "that never ends there, or give it more time: --timeout SECONDS."
    ),
    "hangs while run": (
        "{file} was still running after {timeout} s, in line {line}, before any function was "
        'called. What trains or waits belongs under if __name__ == "__main__":, which a check does '
        "not run; or give it more time: --timeout SECONDS."
    ),
    "too slow": (
        "The check of {file} was not done after {timeout} s. Give it more time: --timeout SECONDS, "
        "or less data."
    ),
    # Its functions.
    "no forward": (
        "{file} has no function for the forward pass. Looked for: {looked}. It defines: {there}. "
        "Name it: --forward NAME."
    ),
    "no backward": (
        "{file} has no function for the backward pass. Looked for: {looked}. It defines: {there}. "
        "Name it: --backward NAME."
    ),
    "no functions": "no functions",
    "no cost value": (
        "{forward} returns no cost, and there is no function for it that goes by a usual name. "
        "Name it: --cost NAME."
    ),
    "unknown argument": (
        "{function} takes an argument {name}, and what that should be is not known; there are "
        "{known}. Give it one of these names, or a default."
    ),
    "no outputs": (
        "{forward} returns {found}; expected the outputs of the last layer, {outputs} for each of "
        "{samples} samples, alone or together with a cache."
    ),
    "fails when called": (
        "{name} fails in every layout that was tried; samples as {samples}, {arrays}, came "
        "furthest. Its own traceback:"
    ),
    # What was found.
    "found": "found {functions}; samples are {samples}, layers {sizes}, {m} samples.",
    "starts in cache": (
        "It starts in {forward}, which keeps numbers that are not finite: the first are in {path}."
    ),
    "starts in forward": "It starts in {forward}, whose outputs are not finite.",
    "starts in cost": (
        "It starts in the cost: the outputs of {forward} are finite, from {lowest} to {highest}. "
        "The logarithm of 0 is -inf."
    ),
}


def say(key: str, **facts: object) -> str:
    """Return the sentence of a key, with its facts in place."""
    return _ENGLISH[key].format(**facts)
