from .recording import RECORD as RECORD
from .recording import write_own_record as write_own_record
from .verifying import find_own_recipe as find_own_recipe
from .verifying import is_own_record as is_own_record
from .verifying import verify_own_record as verify_own_record
