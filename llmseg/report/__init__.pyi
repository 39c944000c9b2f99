from .site import Report as Report
from .site import write_report as write_report
