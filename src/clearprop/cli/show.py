"""``clearprop show``."""

import click

from clearprop.cli.output import json_option, say_json


@click.command()
@click.argument("model", type=click.Path())
@json_option
def show(model: str, as_json: bool) -> None:
    """Show what is in the file MODEL: layers, shapes, preprocessing, and what training reached."""
    from clearprop.configuration import to_config
    from clearprop.model_file import load

    loaded = load(model)
    summary = loaded.network.summary()
    recipe = loaded.preprocessing
    if as_json:
        say_json(
            {
                "layers": [vars(row) for row in summary.rows],
                "input_shape": summary.input_shape,
                "dtype": summary.dtype,
                "parameters": summary.parameters,
                "bytes": summary.bytes,
                "loss": to_config(loaded.network.loss),
                "preprocessing": to_config(recipe),
                "class_names": loaded.class_names,
                "training": loaded.training,
                "version": loaded.version,
            }
        )
        return
    click.echo(summary)
    click.echo(f"\nloss     {type(loaded.network.loss).__name__}, computed in {summary.dtype}")
    if recipe is not None:
        click.echo(f"input    {type(recipe.inputs).__name__} to {recipe.inputs.input_shape}")
        click.echo(f"target   {recipe.target.name}")
    if loaded.class_names:
        click.echo(f"classes  {', '.join(loaded.class_names)}")
    for name, value in loaded.training.items():
        if name != "settings":
            click.echo(f"{name.replace('_', ' ')}  {value}")
    click.echo(f"made by  clearprop {loaded.version}")
