"""Files of a site that cannot be used: their error is the headline, and nothing of it is cut."""

from __future__ import annotations

import json
from pathlib import Path

from custom.site import HEALTHY, Site


def test_a_file_that_cannot_be_imported_is_the_headline(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.put("tests_site/test_a.py", "import os\nimport nosuchmodule\n")
    site.put("tests_site/test_b.py", "def x(:\n    pass\n")
    long = "x" * 600
    site.put("tests_site/test_c.py", f'raise ValueError("{long} end")\n')
    site.put(
        "tests_site/test_d.py",
        "from bkpaas.checks import condition\n\n\n"
        '@condition("site-x", title="A", remedy="b", roles=("pass",))\ndef test_x(host):\n    pass\n',
    )
    done = site.run(f"--from-snapshot={HEALTHY}", "-m", "site or login_502")
    out = " ".join(done.out.split())
    assert done.exit == 1 and done.results["counts"]["pass"] > 10
    errors = done.results["not_imported"]
    assert errors[0] == "tests_site/test_a.py:2: ModuleNotFoundError: No module named 'nosuchmodule'"
    assert "test_b.py" in errors[1] and "SyntaxError" in errors[1] and "line 1" in errors[1]
    assert errors[2].startswith("tests_site/test_c.py:1: ") and f"{long} end" in errors[2]
    assert "there is no role 'pass' (did you mean paas?); the roles are" in errors[3]
    assert "nginx" in errors[3] and "test_d.py:4" in errors[3]
    headline = (
        f"4 test files could not be imported, so their conditions were not checked; the first: {errors[0]}"
    )
    assert headline in out
    for name in ("report.html", "results.json"):
        assert "nosuchmodule" in (done.directory / name).read_text("utf-8"), name
    assert json.loads((done.directory / "results.json").read_text())["run"]["exit"] == 1
