from .full_run import FullRun as FullRun
from .full_run import Runner as Runner
from .full_run import read_runner as read_runner
from .full_run import run_in_full as run_in_full
