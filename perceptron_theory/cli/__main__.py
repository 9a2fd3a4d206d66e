"""``python -m perceptron_theory.cli``."""

import sys

from perceptron_theory.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
