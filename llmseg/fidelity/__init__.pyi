from .all_records import VerifiedRecord as VerifiedRecord
from .all_records import verify_all as verify_all
from .records import read_record as read_record
from .records import recorded_id as recorded_id
from .verify import LEVELS as LEVELS
from .verify import Verdict as Verdict
