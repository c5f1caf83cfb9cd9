"""The files of the folder in which a check talks to the process that runs a learner's file."""

REQUEST = "request.json"
ARRAYS = "data.npz"
ANSWER = "answer.json"
HANGS = "hangs.txt"
