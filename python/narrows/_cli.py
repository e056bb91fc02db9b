"""The command `narrows`, which the native module carries."""

import sys

from narrows import _native


def main() -> None:
    """Runs the command with the arguments of the process, and exits with its code."""
    sys.exit(_native.main(sys.argv[1:]))
