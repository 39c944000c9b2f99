from __future__ import annotations

import json

import pytest

from llmseg import zoo


class TestList:
    def test_a_line_per_pipeline_of_the_study(self, call):
        code, out, _ = call("list")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()] == ["id", *zoo.names()]

    def test_conditions(self, call):
        _, out, _ = call("list", "--cohort", 2024, "--reasoning", "--json")
        assert [row["id"] for row in json.loads(out)] == list(zoo.names(cohort=2024, reasoning=True))
        _, out, _ = call("list", "--all", "--json")
        assert [row["id"] for row in json.loads(out)] == list(zoo.all_names())
        _, out, _ = call("list", "--vendor", "openai", "--no-reasoning")
        assert [line.split()[0] for line in out.splitlines()[1:]] == list(zoo.names(vendor="OpenAI", reasoning=False))

    def test_references(self, call):
        _, out, _ = call("list", "--references")
        lines = [line.split() for line in out.splitlines()[1:]]
        assert [line[:1] + line[2:4] for line in lines] == [[id, "-", "-"] for id in zoo.names(reference=True)]

    def test_nothing_that_fits(self, call):
        code, out, err = call("list", "--vendor", "nobody")
        assert (code, out) == (2, "")
        assert "cohorts: 2024, 2025; vendors: OpenAI, Anthropic" in err
        assert call("list", "--vendor", "nobody", "--json")[:2] == (0, "[]\n")


class TestShow:
    @pytest.mark.parametrize("name", [*zoo.names(in_study=None, reference=None), "gpt-4@tensorflow", "gpt-4o@run-01"])
    def test_card_recipe_and_differences(self, call, name):
        code, out, _ = call("show", name)
        pipeline = zoo.get(name)
        assert code == 0
        assert out.startswith(name)
        for word in (pipeline.card.name, f"{pipeline.card.parameters:,}", "against the textbook recipe:"):
            assert word in out
        for path, _ in pipeline.recipe.items():
            assert f"  {path} = " in out
        differences = out.partition("against the textbook recipe:")[2]
        for difference in zoo.TEXTBOOK.diff(pipeline.recipe):
            assert f"  {difference.path} " in differences or f"  {difference.path}\n" in differences

    def test_json_holds_the_recipe(self, call, tmp_path):
        _, out, _ = call("show", "gpt4", "--json")
        shown = json.loads(out)
        assert shown["id"] == "gpt-4"
        assert shown["recipe"] == zoo.get("gpt-4").recipe.to_dict()


class TestDraw:
    def test_a_changed_network_under_the_name_of_its_changes(self, call, tmp_path):
        path = tmp_path / "net.svg"
        change = ("--set", "net.pool_bottleneck=true", "--set", "net.mismatch=crop", "--set", "images.size=64,64")
        assert call("show", "gpt-o3", "--draw", path, *change) == (0, f"{path}\n", "")
        text = path.read_text(encoding="utf-8")
        assert ">gpt-o3 net.pool_bottleneck=true net.mism" in text
        assert ">cropped-skips<" in text
        code, out, _ = call("show", "gpt-o3", "--draw", path, *change, "--json")
        assert (code, json.loads(out)) == (0, {"written": [str(path)]})

    def test_a_recipe_in_a_file(self, call, tmp_path):
        file = tmp_path / "mine.json"
        file.write_text(zoo.get("gpt-4").recipe.change("images.size", (64, 64)).to_json(), encoding="utf-8")
        assert call("show", file, "--draw", tmp_path / "net.pdf")[0] == 0
        assert (tmp_path / "net.pdf").read_bytes().startswith(b"%PDF")

    def test_a_changed_recipe_without_a_drawing(self, call):
        code, out, _ = call("show", "gpt-4", "--set", "fit.epochs=2")
        assert code == 0
        assert "  fit.epochs = 2\n" in out
        assert "language model" not in out, "a changed recipe is nobody's"

    def test_what_is_refused(self, call, tmp_path):
        assert "there are .pdf, .png, .svg" in call("show", "gpt-4", "--draw", tmp_path / "net.jpg")[2]
        (tmp_path / "mine.svg").write_text("<svg/>")
        assert "was not drawn by llmseg" in call("show", "gpt-4", "--draw", tmp_path / "mine.svg")[2]
        code, _, err = call("show", "gpt-o3", "--draw", tmp_path / "net.svg", "--set", "images.size=100,100")
        assert (code, "choose images.size accordingly" in err) == (2, True)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.svg"]


class TestDiff:
    def test_every_field_that_differs(self, call):
        _, out, _ = call("diff", "gpt-4o", "gpt-o1-preview", "--json")
        expected = zoo.get("gpt-4o").recipe.diff(zoo.get("gpt-o1-preview").recipe)
        assert [d["path"] for d in json.loads(out)] == [d.path for d in expected]
        _, text, _ = call("diff", "gpt-4o", "gpt-o1-preview")
        assert [line.split()[0] for line in text.splitlines()[1:]] == [d.path for d in expected]

    def test_with_a_recipe_in_a_file(self, call, tiny_json):
        assert "net.encoder" in call("diff", "gpt-o3", tiny_json)[1]
        assert call("diff", tiny_json, tiny_json)[1] == "no difference\n"

    def test_it_fits_a_screen_and_tells_no_field_from_no_value(self, call):
        lines = call("diff", "gpt-4o", "gpt-4o@tensorflow")[1].splitlines()
        table, block = lines[: lines.index("test")], lines[lines.index("test") :]
        assert max(map(len, table)) <= 80
        assert [line.split(": ")[0] for line in block] == ["test", "  gpt-4o", "  gpt-4o@tensorflow"]
        values = {line.split()[0]: line.split()[1:] for line in table}
        assert values["loss.validation_threshold"] == ["none", "-"]
        assert values["net.narrow"] == ["-", "none"]
        assert values["score.threshold"] == ["0.5", "none"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "gpt-5"], "no pipeline 'gpt-5'; did you mean 'gpt-4'?"),
        (["show", "gpt-5"], "more: llmseg list --all"),
        (["quirks", "doublesigmoid"], "no quirk or pipeline 'doublesigmoid'; did you mean 'double-sigmoid'?; llmseg"),
        (["quirks", "grok-3-mni"], "did you mean 'grok-3-mini'?"),
        (["quirks", "nothing.json"], "no recipe file nothing.json"),
        (["diff", "gpt-4", "nothing.json"], "no recipe file nothing.json"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(check_mistake, arguments, words):
    check_mistake(words, *arguments)
