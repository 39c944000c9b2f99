"""The command of the price list: llmseg price."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import completion
from llmseg.cli import options as option
from llmseg.cli.few_cases import warn_of_few_test_cases
from llmseg.cli.groups import note_independent_cases
from llmseg.cli.options import Cases, Computing
from llmseg.cli.output import OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.text.study import price_table


@dataclass(frozen=True)
class PriceOptions(Computing):
    """How the trainings behind the prices are made; see :class:`llmseg.study.PriceSettings`."""

    fraction: Annotated[float, typer.Option(help="Share of the cases to hold out.", min=0, max=1)] = 0.4
    size: Annotated[int | None, typer.Option(help="Pixels for all, instead of each recipe's own.", min=1)] = None
    batch_size: Annotated[
        int | None, typer.Option(help="Cases per step for all, instead of each recipe's own.", min=1)
    ] = None
    epochs: option.Epochs = None
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 3
    textbook: Annotated[
        list[str] | None, typer.Option(help="Change a field of the textbook recipe: path=value; repeatable.")
    ] = None
    leave_out_failing: option.LeaveOutFailing = False
    retry: option.Retry = None

    @property
    def settings(self) -> llmseg.study.PriceSettings:
        """What is the same for all prices of a list."""
        return llmseg.study.PriceSettings(
            fraction=self.fraction,
            size=self.size,
            batch_size=self.batch_size,
            epochs=self.epochs,
            seeds=self.seeds,
            textbook=tuple(self.textbook or ()),
        )


@spread
def price(
    cases: Cases,
    options: PriceOptions,
    output: OutputWithProgress,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PIPELINES]...",
            help="Pipelines, or textbook; the nineteen and textbook if none.",
            autocompletion=completion.PIPELINES,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the trainings and of prices.json.")] = None,
    page: Annotated[
        Path | None, typer.Option(help="Train nothing: print this price list, a JSON file, as a page in Markdown.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Which quirks: mistake, choice or all.")] = "all",
    leave_out: Annotated[list[str] | None, typer.Option(help="A quirk that is not priced; repeatable.")] = None,
) -> None:
    """Measure what each quirk costs: the Dice that its repair gains, per pipeline and dataset.

    The same command again continues. With other cases or pipelines and the same --out, it adds to the list.

    Example: llmseg price llama-3.1-405b --synthetic fundus --size 64 --epochs 1 --seeds 1 -o prices
    """
    if page is not None:
        print(llmseg.study.render_price_page(llmseg.study.PriceList(page).record), end="")
        return
    if out is None:
        raise UserError("price needs --out DIR for trainings and prices, or --page PRICES.json")
    store = cases.open()
    note_independent_cases(store)
    # The draw of ``run_prices``, made once more: it says what is wrong before hours of training.
    warn_of_few_test_cases(llmseg.hold_out(store, fraction=options.fraction), how="--fraction")
    prices = llmseg.study.run_prices(
        store,
        out,
        names or (),
        settings=options.settings,
        kind=cast(Any, kind),
        leave_out=leave_out or (),
        device=options.device,
        precision=options.precision,
        leave_out_failing=options.leave_out_failing,
        retry=options.retry or (),
        progress=output.progress,
    )
    output.print(prices.record if output.as_json else price_table(prices))
