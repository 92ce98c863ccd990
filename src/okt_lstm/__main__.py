"""`python -m okt_lstm` is the command `okt-lstm`."""

import sys

from .cli import main

sys.exit(main())
