from .epochs import EpochsTold as EpochsTold
from .layout import Layout as Layout
from .layout import read_layout as read_layout
from .mapping import Mapped as Mapped
from .run import ScriptRun as ScriptRun
from .run import run_scripts as run_scripts
from .salvage import Edit as Edit
