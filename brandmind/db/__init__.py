"""Everything that is SQL: tables, upserts, the ledger of runs, queries."""
