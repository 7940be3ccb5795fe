"""The suite as a pytest plugin: options, fixtures, parametrisation, the ledger of expected verdicts, outcomes."""
