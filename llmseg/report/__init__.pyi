from .analysis import Analysis as Analysis
from .analysis import analyse as analyse
from .analysis import judge as judge
from .question import Question as Question
from .question import name_measure as name_measure
from .site import Report as Report
from .site import write_report as write_report
from .source import read_sources as read_sources
