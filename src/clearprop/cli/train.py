"""``clearprop train``."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from clearprop.cli import output, scores
from clearprop.cli.command import DataName, command
from clearprop.cli.doctor import ask_doctor, say_closing
from clearprop.cli.live import live_options, shown_live, with_what_was_done_by_hand
from clearprop.cli.options import (
    command_of,
    setting_option,
    settings_from,
    settings_of_run,
    task_options,
)
from clearprop.errors import UsageError
from clearprop.experiment import (
    Evaluation,
    Measured,
    Settings,
    Task,
    Trained,
    learn,
    load_dataset,
    measure,
    set_task,
)
from clearprop.experiment import folder as run_folder
from clearprop.experiment.coverage import promise_in_words
from clearprop.experiment.cross_validation import fold_labels, times_of
from clearprop.experiment.epochs_kept import KeptEpochs, save_kept
from clearprop.experiment.reporting import keep_finding, page_of_training
from clearprop.experiment.runs import CHECKPOINT, KEPT, PAGE, SETTINGS, require_there, saved_at
from clearprop.experiment.settings import described
from clearprop.report import RunPage, write_page
from clearprop.studio.by_hand import GoOnByHand
from clearprop.training import Callback, Checkpoint, Forecast, Run
from clearprop.web.server import require_server

_ENDED = {"converged": ", until it converged", "stuck": ", until it found no way further down"}
"""Words for the reasons for which an optimizer ends a training by itself."""


@command(
    "clearprop train digits",
    "clearprop train people.csv --target buys --epochs 50",
    "clearprop train photos/ --size 32 --layers 100,50 --out runs/photos",
    "clearprop train --resume --out runs/photos",
    "clearprop train moons --live",
)
@click.argument("data", required=False, type=DataName())
@setting_option("start")
@setting_option("layers")
@task_options
@click.option("--out", metavar="FOLDER", help="The run's folder.  [default: a new one under runs/]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, to the same bits.")
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="The time between two checkpoints; 0 for one each epoch.",
)
@live_options
@output.json_option
@click.pass_context
def train(
    ctx: click.Context,
    /,
    data: str | None,
    out: str | None,
    resume: bool,
    checkpoint_every: float,
    is_live: bool,
    port: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a network on DATA: a name or a path.

    Names: digits, iris, wine, breast_cancer, diabetes; planar, moons, spirals, blobs, linear.

    Paths: a table (CSV and other text, Excel, Parquet), a folder of pictures with one folder a
    class (or train/, val/ and test/ with such folders), arrays (NPZ, NPY, HDF5, IDX), or - for a
    table from standard input.
    """
    if resume and out is None:
        raise UsageError("Say which run to go on with: --resume --out FOLDER.")
    if is_live:
        require_server(port)  # before anything is read or written
    elif port is not None:
        raise UsageError("--port is that of the live page: --live --port N.")
    if data is not None and saved_at(data, or_data=True) is not None:
        raise UsageError(
            f"{data} is a model, no data. To go on from its weights: --from {data}; to go on with "
            f"a run where it was interrupted: --resume --out FOLDER."
        )
    settings = (
        settings_of_run(Path(out or "", SETTINGS), data, options)
        if resume
        else settings_from(data, options)
    )
    if data is None:
        whose = out if resume else options["config"] or options["start"]
        require_there(settings, whose or "", "clearprop train DATA, with the same options")
    reads = output.Reads(settings.data)
    with output.waiting(reads):
        kept_in = run_folder.beside(out)
        dataset = load_dataset(settings, kept_in=kept_in, tell=reads.survey)
    output.note_data(dataset)
    with output.waiting(f"Preparing {settings.data}"):
        task = set_task(settings, dataset)
    for line in task.notes:
        output.note(line)
    folder = run_folder.open_folder(out, settings.data, resume=resume)
    if not resume:  # later, when the checkpoint has agreed
        run_folder.save_settings(folder, task.open_settings)
    output.note(_plan(task))
    with output.waiting("Drawing"):
        shown, undrawn = run_folder.draw_augmented(folder, task)
    if shown is not None:
        output.note(f"{shown} shows some pictures, and what training may see in their place.")
    output.note_undrawn([] if undrawn is None else [undrawn])
    parts = fold_labels(task)
    epochs = KeptEpochs()
    watch = [
        Forecast(times_of(task)),
        *output.progress(*parts, *(["all samples"] if parts else [])),
    ]
    live = None
    if is_live:
        live = ctx.with_resource(shown_live(task, folder, command_of(settings), parts, port))
        watch.append(live.live.watching)
    by_hand = [GoOnByHand()] if resume else []
    try:
        with ExitStack() as until_it_trains:
            until_it_trains.enter_context(output.waiting("Making ready"))
            watch.insert(0, _Ended(until_it_trains))
            trained = learn(
                task,
                callbacks=[*by_hand, *watch, epochs],
                in_folds=watch,
                checkpoint=Checkpoint(folder / CHECKPOINT, checkpoint_every),
                resume=resume,
            )
        if resume or live is not None:
            trained = with_what_was_done_by_hand(trained, live)
        for line in trained.task.notes[len(task.notes) :]:
            output.note(line)
        if trained.diverged is not None:
            output.complain(str(trained.diverged))
        with output.waiting("Measuring"):
            measured = measure(trained).with_importance(trained.task)
    except KeyboardInterrupt:  # in a fold, or while measuring: there is no model yet
        output.note(_how_to_go_on(folder))
        raise
    report = run_folder.save_run(folder, trained, measured, command_of(settings))
    found = measured.score
    with output.waiting("Drawing"):
        pictures, failed = run_folder.draw_run(
            folder, measured.model, trained.history, found, measured.scored, measured.importance
        )
    output.note_undrawn(failed)
    if not as_json:
        if trained.diverged is not None:
            output.say_line("Diverged: these are the scores of what was left.")
        if trained.threshold is not None:
            output.say_line(trained.threshold)
        _say_reached(measured, task)
        _say_how_sure(trained, found)
        _say_saved(report, folder, pictures)
        if found is not None and trained.history.stopped not in ("diverged", "interrupted"):
            for line in _advice(found, folder, trained.task, settings):
                output.say_line(line)
    interrupted = trained.history.stopped == "interrupted"
    if interrupted:
        output.note(_how_to_go_on(folder))
    told, cut_off = (
        (None, False) if interrupted else ask_doctor(trained, measured, settings, folder)
    )
    save_kept(folder / KEPT, epochs.kept)
    if told is not None:
        keep_finding(folder, told)
    run = page_of_training(folder, trained, measured, report=report, kept=epochs.kept, doctor=told)
    page = _write_page(folder / PAGE, run)
    if as_json:
        found_pictures = {"pictures": [str(path) for path in pictures], "page": page}
        output.say_json(report | found_pictures | {"doctor": told})
    elif told is not None:
        say_closing(told)
    if interrupted or cut_off:
        raise KeyboardInterrupt
    if trained.diverged is None and not as_json:
        _say_next(report, task.train.kind)
    if live is not None:
        live.live.save(run)
        live.stay()
    if trained.diverged is not None:
        ctx.exit(1)


def _write_page(path: Path, run: RunPage) -> str | None:
    """Write the run's page, which costs no run that is saved already: its path, or None."""
    try:
        with output.waiting("Writing its page"):
            write_page(path, [run])
    except UsageError as error:  # it would be too large
        output.note(str(error))
        return None
    output.note(f"{path} shows it all in a browser: curves, every number, your own input.")
    return str(path)


_NOT_MEASURED = (
    "It is not measured here, as no rows are held out to score with: --test 0.2 holds some out; "
    "clearprop evaluate measures it on others."
)


class _Ended(Callback):
    """Ends a wait when training begins: steps may be compiled first, which takes long once."""

    def __init__(self, wait: ExitStack) -> None:
        self.wait = wait

    def on_train_begin(self, run: Run) -> None:
        """End it."""
        self.wait.close()


def _plan(task: Task) -> str:
    settings, network = task.settings, task.network
    folds = f", in {settings.folds} folds" if settings.folds else ""
    chooses = "" if task.validation is None else f", {len(task.validation)} to choose the epoch"
    test = "" if task.test is None else f", {len(task.test)} to test"
    if task.calibration is not None:
        test += f", {len(task.calibration)} for the coverage"
    units = [*(settings.layers or ()), *network.output_shape]
    inputs = "x".join(map(str, network.input_shape))
    return (
        f"{settings.data}: {task.learned} samples to train on{folds}{chooses}{test}. "
        f"Network {' - '.join([inputs, *map(str, units)])}, "
        f"{network.parameters.data.size:,} parameters."
    )


def _say_reached(measured: Measured, task: Task) -> None:
    for part, found in measured.parts.items():
        label, about = scores.PARTS[part]
        line = f"{label:9} {found.samples:6} samples"
        if part in ("validation", "train"):
            output.say_line(f"{line}: {scores.text(found.score_name, found.score)}: {about}")
            continue
        output.say_line(f"{line}{about}: {scores.beside(found)}")
        output.say_line(f"{'':25} {scores.others(found, task.train.target_name)}")
        for told in scores.rare(found):
            output.say_line(f"{'':25} {told}")
    useless = measured.score is not None and measured.score.beats("constant") is False
    for told in [] if useless else scores.matters(measured.importance):
        output.say_line(told)


def _say_how_sure(trained: Trained, found: Evaluation | None) -> None:
    if trained.temperature is not None:
        output.say_line(trained.temperature)
    promise = promise_in_words(trained.task.recipe.target)
    for line in (*promise, *(() if found is None else scores.certainty(found))):
        output.say_line(line)
    if promise and (found is None or found.covered is None):
        output.say_line(_NOT_MEASURED)


def _advice(found: Evaluation, folder: Path, task: Task, settings: Settings) -> list[str]:
    if task.settings.folds or task.validation is not None:
        again = output.word(str(folder / SETTINGS))
        told = scores.seldom_found(found, f"clearprop train --config {again} --threshold f1")
        if told:
            return told
    run, same = output.word(str(folder)), _of_the_same_data(settings)
    linear = command_of(replace(same, layers=())) if task.settings.layers else None
    told = scores.doubts(found, f"clearprop doctor {run}", linear)
    if told and task.train.kind == "pictures" and settings.features is None:
        other = command_of(replace(same, size=None))  # the file says its own
        told.append(
            "Of few pictures more is known by the features of a pretrained network: "
            f"{other} --features FILE.onnx"
        )
    return told


def _of_the_same_data(settings: Settings) -> Settings:
    """Return the settings for another network: only what they say of samples is kept."""
    return Settings(
        data=settings.data,
        seed=settings.seed,
        **{
            name: getattr(settings, name)
            for name, about in described(settings).items()
            if about.group in ("Data", "Held-out samples") and name != "start"
        },
    )


def _say_saved(report: dict[str, Any], folder: Path, pictures: list[Path]) -> None:
    saved = ["model", "history", "settings", "report", *(path.name for path in pictures)]
    epochs = "1 epoch" if report["epochs"] == 1 else f"{report['epochs']} epochs"
    ended = _ENDED.get(report["stopped"], "")
    output.say(
        f"Trained {epochs} in {output.duration(report['seconds'])}{ended}. "
        f"Saved in {folder}: {', '.join(saved[:-1])} and {saved[-1]}."
    )


def _say_next(report: dict[str, Any], kind: str) -> None:
    model = output.word(str(report["model"]))
    new = {"pictures": "PICTURE... --show", "table": "NEW.csv", "array": "NEW.npz"}[kind]
    output.say(f"Next:  clearprop predict {model} {new}")
    output.say(f"       clearprop show {model}")


def _how_to_go_on(folder: Path) -> str:
    again = f"clearprop train --resume --out {output.word(str(folder))}"
    if (folder / CHECKPOINT).exists():
        return f"To go on from its last checkpoint: {again}"
    return f"It has no checkpoint yet. To begin it anew: {again}"
