"""The report: a static site of a study's leaderboard, claims, pipelines and datasets."""
