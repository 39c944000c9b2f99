"""The figures of a study: records, tables and runs in, matplotlib figures out."""
