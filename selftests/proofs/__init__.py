"""The long proofs of the laws: `script/proof --help`. Each proof breaks its law on purpose too, and must notice it."""
