"""The fault matrix: every fault of the lab, injected, judged by the suite, healed, and judged again.

`script/matrix` runs it. It measures the product: the expected cause is named first, everything else that turns red
is explained by it, nothing unrelated does, and after healing all is green.
"""
