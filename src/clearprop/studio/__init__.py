"""The live page's server: a training as it goes on, in a browser on the same machine.

Training comes first. It puts what it has where others may look, and looks itself, now and then,
for what they ask of it; it waits for nobody who didn't press "pause".
"""
