"""`python -m oktane`: the same as the command `oktane`."""

import sys

from .cli import main

sys.exit(main())
