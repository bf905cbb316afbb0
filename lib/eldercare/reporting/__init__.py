"""Numbers as sentences, tables, figures, reports, traces."""
