"""Shell completion of `target-dotdigital`: the target itself takes too long to import for a key.

Click writes the shell's script and answers it. The options are those of the SDK and of this target;
`tests/end_to_end/test_completion.py` compares them.
"""

from __future__ import annotations


def complete(variable: str) -> None:
    """Write what the shell asks for, and leave.

    Args:
        variable: The environment variable that says what that is.
    """
    import click  # noqa: PLC0415 - the rest of this package needs none

    file = click.Path(dir_okay=False)
    formats = click.Choice(["json", "markdown"])
    command = click.Command(
        "target-dotdigital",
        params=[
            click.Option(["--version"], is_flag=True, help="Display the package version."),
            click.Option(["--about"], is_flag=True, help="Display package metadata and settings."),
            click.Option(["--format"], type=formats, help="Output style of --about."),
            click.Option(["--config"], type=file, multiple=True, help="Settings, or ENV."),
            click.Option(["--input"], type=file, help="A file to read instead of standard input."),
            click.Option(["--test"], is_flag=True, help="Check everything, and write nothing."),
            click.Option(["--verify"], is_flag=True, help="Compare the account with the input."),
            click.Option(["--replay"], type=file, help="Load rejected rows once more."),
            click.Option(["--undo"], type=file, help="Put back whom a mirror took out."),
        ],
    )
    command.main(prog_name="target-dotdigital", complete_var=variable)
