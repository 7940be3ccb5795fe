"""Proxies: what the files set, and what a no_proxy excepts."""

import pytest
import recorded

from bkpaas.facts.proxies import excepted, proxies
from bkpaas.facts.secrets import Secrets


def read(text, path="/etc/profile.d/proxy.sh"):
    return proxies({"proxy-1": [recorded.entry(path, text)]}, Secrets(b"k"))


def settings(text, path="/etc/profile.d/proxy.sh"):
    return [(one.name, one.value, one.location.rpartition(":")[2]) for one in read(text, path).settings]


def test_a_profile_sets_several_on_one_line_and_from_one_another():
    text = (
        '# http_proxy=http://old:1\nP=10.0.0.9:3128\nexport http_proxy=http://$P HTTPS_PROXY="http://${P}"\n'
    )
    assert settings(text) == [
        ("http_proxy", "http://10.0.0.9:3128", "3"),
        ("https_proxy", "http://10.0.0.9:3128", "3"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "http_proxy=\n",
        "export http_proxy=http://a:1\nunset http_proxy\n",
        "proxy_on() {\n  export http_proxy=http://a:1\n}\n",
        "function proxy_on\n{\n  export http_proxy=http://a:1 ; x=${y}\n}\n",
        "alias p='export http_proxy=http://a:1'\n",
        "echo 'http_proxy is not set'\n",
    ],
)
def test_what_sets_nothing(text):
    assert settings(text) == []


def test_after_a_function_lines_count_again():
    assert settings("f() { :; }\nhttp_proxy=http://a:1\n") == [("http_proxy", "http://a:1", "2")]


def test_curl_and_wget_have_words_of_their_own():
    text = 'proxy = "http://a:1"\nnoproxy = .bk.com\n'
    assert settings(text, "/root/.curlrc") == [("all_proxy", "http://a:1", "1"), ("no_proxy", ".bk.com", "2")]
    assert settings("http_proxy = http://a:1\n", "/root/.wgetrc") == [("http_proxy", "http://a:1", "1")]
    assert settings("use_proxy = off\nhttp_proxy = http://a:1\n", "/root/.wgetrc") == []


def test_credentials_are_hidden_and_unreadable_files_are_reported():
    found = read("http_proxy=http://bob:Pl4nted-pass@a:1\n")
    assert "Pl4nted" not in repr(found) and found.settings[0].value.endswith("@a:1")
    given = {"proxy-1": [recorded.entry("/root/.bashrc", error="Permission denied")]}
    (problem,) = proxies(given, Secrets(b"k")).problems
    assert recorded.english(problem) == "/root/.bashrc: Permission denied"


@pytest.mark.parametrize(
    ("name", "no_proxy", "outside"),
    [
        ("paas.bk.com", "localhost,.bk.com", True),
        ("paas.bk.com", "bk.com", True),
        ("paas.bk.com", "paas.bk.com:80", True),
        ("paas.bk.com", "*", True),
        ("paas.bk.com", "*.bk.com", False),
        ("paas.mybk.com", "bk.com", False),
        ("paas.bk.com", "", False),
        ("10.0.1.3", "10.0.1.3 10.0.1.4", True),
        ("10.0.1.3", "10.0.1.0/24", True),
        ("10.0.1.3", "0.1.3", False),
        ("10.0.1.3", "10.0.2.0/24,x/y", False),
    ],
)
def test_what_a_no_proxy_excepts(name, no_proxy, outside):
    assert excepted(name, no_proxy) is outside
