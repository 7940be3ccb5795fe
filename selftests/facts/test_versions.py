"""Versions are read from small files and the names of directories."""

import pytest
from recorded import HOME, entry

from bkpaas.facts.versions import versions


def test_versions_of_a_host():
    packages = f"{HOME}/.envs/login/lib/python2.7/site-packages"
    found = versions(
        {
            "version-system": [
                entry("/etc/os-release", 'NAME="CentOS Linux"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n'),
                entry("/etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n"),
            ],
            "version-module": [
                entry(f"{HOME}/open_paas/VERSION", "2.14.68\n"),
                entry(f"{HOME}/open_paas/login/VERSION", "V1.2\n"),
                entry(f"{HOME}/empty/VERSION", "\n"),
            ],
            "version-package": [
                entry(f"{packages}/Django-1.8.11.dist-info", None, type="dir"),
                entry(f"{packages}/uWSGI-2.0.13.1-py2.7.egg-info", None, type="dir"),
                entry(f"{packages}/Django-1.8.11", None, type="dir"),
            ],
        },
        {"kernel": "3.10.0-1160.el7.x86_64"},
    ).by_name
    assert found == {
        "kernel": "3.10.0-1160.el7.x86_64",
        "system": "CentOS Linux 7 (Core)",
        "open_paas": "2.14.68",
        "login": "V1.2",
        "login: python": "2.7",
        "login: Django": "1.8.11",
        "login: uWSGI": "2.0.13.1",
    }


@pytest.mark.parametrize("text", ["", "CentOS release 6.10 (Final)\n"])
def test_a_system_without_os_release(text):
    found = versions({"version-system": [entry("/etc/redhat-release", text)]}, None).by_name
    assert found == ({"system": text.strip()} if text else {})
