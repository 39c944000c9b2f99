from __future__ import annotations

from dataclasses import replace

from llmseg.data.doctor.findings import LISTED_VALUES, NAMED_CASES, Examination, Finding, Tally, report_cases

CLEAN = Examination(
    name="set",
    cases=3,
    readable=3,
    groups=2,
    parts=(),
    sizes=Tally.of([(4, 6), (4, 6), (5, 5)]),
    channels=(("grey", 3),),
    values=Tally.of([0, 0, 255]),
    shares=((0, 0.0), (50, 0.25), (100, 1.0)),
    findings=(),
)


def test_a_tally_counts_and_cuts():
    things = [number for number in range(LISTED_VALUES + 4) for _ in range(number + 1)]
    tally = Tally.of(things)
    assert tally.different == LISTED_VALUES + 4
    assert len(tally.commonest) == LISTED_VALUES
    assert tally.commonest[0] == (LISTED_VALUES + 3, LISTED_VALUES + 4)


def test_a_finding_names_the_first_cases_and_counts_all():
    ids = [f"{index}.png" for index in range(NAMED_CASES + 3)]
    (finding,) = report_cases("empty-masks", "note", ids, 20, "empty masks", "look")
    assert finding.cases == tuple(ids[:NAMED_CASES])
    assert finding.count == NAMED_CASES + 3
    assert finding.sentence == f"empty masks: {NAMED_CASES + 3} of 20; look"
    assert list(report_cases("empty-masks", "note", [], 20, "empty masks", "look")) == []


def test_text_of_a_clean_set():
    assert CLEAN.text().splitlines() == [
        "set: 3 cases in 2 groups, 3 of them readable",
        "  sizes    4x6 (2), 5x5 (1) (height x width)",
        "  channels grey 3",
        "  masks    0 (2), 255 (1) (value, in how many masks)",
        "  share    foreground in % of the mask: p0 0, p50 25, p100 100",
        "",
        "no errors and no warnings: nothing to mend",
    ]


def test_lines_are_broken_at_spaces_only():
    long = Finding("orphans", "warning", "files " * 40 + "a-very-long-name/" * 10, 1, ("b",))
    text = replace(CLEAN, findings=(long,)).text()
    assert "a-very-long-name/" * 10 in text
    assert all(len(line) <= 110 for line in text.splitlines() if "name/" not in line)


def test_findings_of_one_severity():
    findings = (Finding("a", "error", "x", 1), Finding("b", "note", "y", 2), Finding("c", "note", "z", 3))
    examination = replace(CLEAN, findings=findings)
    assert [finding.kind for finding in examination.of("note")] == ["b", "c"]
    assert examination.of("warning") == ()
