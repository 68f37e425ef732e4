"""The command `stoflow`.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 something is behind and wants migrating.
"""

import gc


def main() -> None:
    """Load the commands and run one.

    All that is loaded stays: looking for garbage in it took a third of the time to start.
    """
    gc.disable()
    from backend.cli.commands import run

    gc.freeze()
    gc.enable()
    run()
