from .admission import Admission as Admission
from .code_error import CodeError as CodeError
from .driver import admit as admit
from .repair_sheet import write_repair_sheet as write_repair_sheet
from .stage import STAGES as STAGES
from .stage import StageVerdict as StageVerdict
