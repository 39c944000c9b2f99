from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.stats import Table, mixed_model, simulate
from llmseg.stats.blocks import make_blocks


def test_the_mixed_model_recovers_what_was_simulated():
    table = simulate(pipelines=[0.0, 0.05], datasets=1, cases=60, run_spread=0.01, random=1)
    model = mixed_model(table, "llm-01")
    effect = model.effects.iloc[0]
    assert effect["low"] < 0.05 < effect["high"]
    truth = {"group": 0.7 * 0.08**2, "contender in group": 0.3 * 0.08**2, "rest": 0.02**2}
    for name, variance in truth.items():
        assert model.variances[name] == pytest.approx(variance, rel=0.5)
    assert model.converged
    first, second = make_blocks(table)[0].means
    assert effect["difference"] == pytest.approx(second - first)


@pytest.mark.filterwarnings("ignore:The MLE may be on the boundary")
def test_the_mixed_model_is_that_of_statsmodels():
    import statsmodels.formula.api as smf

    table = simulate(pipelines=[0.0, 0.05, 0.02], datasets=1, seeds=1, cases=30, random=2)
    frame = table.frame
    theirs = smf.mixedlm("value ~ C(pipeline)", frame, groups="case").fit(reml=True)
    assert theirs.converged
    ours = mixed_model(table, "llm-01").effects.set_index("contender")
    for name in ("llm-02", "llm-03"):
        term = f"C(pipeline)[T.{name}]"
        assert ours.loc[name, "difference"] == pytest.approx(theirs.fe_params[term], abs=1e-6)
        assert ours.loc[name, "p"] == pytest.approx(theirs.pvalues[term], rel=1e-2, abs=1e-6)


def test_mixed_models_that_cannot_be_fitted():
    with pytest.raises(UserError, match="a model needs scores that vary"):
        mixed_model(Table.from_frame(simulate().frame.assign(value=0.5)), "llm-01")
    with pytest.raises(UserError, match="are more than the 3000 a mixed model can take"):
        mixed_model(simulate(pipelines=19, cases=200), "llm-01")
    with pytest.raises(UserError, match="did you mean 'llm-01'"):
        mixed_model(simulate(), "llm-1")
