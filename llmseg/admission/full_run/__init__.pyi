from .full_run import FullRun as FullRun
from .full_run import run_in_full as run_in_full
