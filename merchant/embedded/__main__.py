"""What the Makefile calls.

`python -m merchant.embedded run | test [pytest's arguments] | coverage [the same]
    | bench [names of benchmarks] | lint [names of checks] | format`
"""

import sys

from merchant.embedded import Trouble, checks, demo, processes


def main(arguments: list[str]) -> int:
    """Run one command and turn trouble into a sentence."""
    processes.listen_for_stop()
    try:
        return _run(arguments)
    except processes.Stopped:
        return 130
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"No permission for {error.filename}: use the account that made it.", file=sys.stderr)
        return 1


def _run(arguments: list[str]) -> int:
    match arguments:
        case ["run"]:
            return demo.run()
        case ["lint", *names]:
            return checks.lint(names)
        case ["format"]:
            return checks.tidy()
        case ["test", *rest]:
            return checks.test(rest)
        case ["coverage", *rest]:
            return checks.coverage(rest)
        case ["bench", *names]:
            return checks.bench(names)
        case _:
            raise Trouble(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
