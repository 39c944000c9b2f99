from __future__ import annotations

import pytest

from llmseg.errors import UserError
from llmseg.nnunet.importing import import_training
from llmseg.nnunet.train import predict_nnunet


def test_what_needs_a_training_that_has_ended_says_so(begin_training, store):
    training = begin_training(store)
    with pytest.raises(UserError, match="has not ended; go on with llmseg nnunet train"):
        predict_nnunet(training)
    with pytest.raises(UserError, match="has not ended; give its command again"):
        import_training(training, store)
