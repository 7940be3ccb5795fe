"""The judges bear the markers of their symptoms, here too."""

import pytest

from bkpaas.faq.catalogue import SYMPTOMS


def pytest_configure(config: pytest.Config) -> None:
    for name in ("condition", *(symptom.marker for symptom in SYMPTOMS)):
        config.addinivalue_line("markers", name)
