"""Parts of a lab's hosts, as far as they can be tested without a lab."""

from __future__ import annotations

import pytest

from lab.layouts import available, load
from lab.services import layout as services_layout
from lab.services.generation6 import start
from lab.services.generation6.roles import ROLES as GENERATION_6
from lab.services.open_paas import passwords, settings
from lab.services.open_paas.tokens import Cipher, new_token
from lab.services.render import PLACEHOLDER, TREES, fill
from lab.services.roles import ORDER, ROLES

SERVICE = {
    "SERVICE": "login",
    "SERVICE_PORT": "8003",
    "HTTP_TIMEOUT": "60",
    "WORKERS": "2",
    "ES_PASS": start.ES_PASSWORD,
}
MORE_5 = {"paas": ("open_paas_service",), "nginx": ("nginx_cmdb", "nginx_job", "nginx_tls")}
MORE_6 = {"paas": ("six_open_paas_ini", "six_open_paas_service")}
"""Trees that are rendered for a role once or more, beyond those that the role names."""
PYTHON_2 = """
try:
    import os
except ImportError, e:
    raise ImportError("%s" % e)
OFFSET = 60
lower = 1
"""


@pytest.fixture(params=available())
def deployment(request):
    return services_layout.Layout.of(load(request.param).to_json())


def trees(generation, roles):
    """Return the trees that start.py of a generation renders for these roles."""
    chosen, more = (GENERATION_6, MORE_6) if generation == "6.x" else (ROLES, MORE_5)
    return {tree for role in roles if role in chosen for tree in (*chosen[role].trees, *more.get(role, ()))}


def test_every_template_can_be_filled_on_every_host(deployment):
    for host in deployment.hosts:
        values = services_layout.variables(deployment, host["address"]) | SERVICE
        for tree in trees(deployment.generation, host["roles"]):
            for template in (TREES / tree).rglob("*.tpl"):
                assert not PLACEHOLDER.search(fill(template.read_text("utf-8"), values)), template


def test_every_tree_is_of_a_layout():
    layouts = [services_layout.Layout.of(load(name).to_json()) for name in available()]
    rendered = {
        tree for one in layouts for host in one.hosts for tree in trees(one.generation, host["roles"])
    }
    assert rendered == {folder.name for folder in TREES.iterdir() if folder.is_dir()}


def test_a_placeholder_without_a_value_is_an_error():
    with pytest.raises(KeyError, match="NO_SUCH_NAME"):
        fill("x = __NO_SUCH_NAME__", {})


def test_every_role_names_trees_that_exist_and_daemons_that_have_a_place_in_the_order():
    for role in ROLES.values():
        assert all((TREES / tree).is_dir() for tree in role.trees)
        assert set(role.daemons) <= set(ORDER)


def test_settings_in_python_2_are_read_and_the_last_definition_wins(tmp_path):
    (tmp_path / "default.py").write_text(PYTHON_2)
    (tmp_path / "production.py").write_text("OFFSET = OTHER = 120")
    found = settings.load(tmp_path, "default.py", "production.py")
    assert vars(found) == {"OFFSET": 120, "OTHER": 120}
    assert settings.missing(found, "OFFSET", "ESB_TOKEN") == ["ESB_TOKEN"]


def test_broken_settings_end_the_start(tmp_path):
    (tmp_path / "default.py").write_text("DATABASES = {")
    with pytest.raises(SyntaxError):
        settings.load(tmp_path, "default.py")


def test_a_token_is_read_with_its_own_key_only():
    token = new_token(Cipher("one"), "admin", 1795454344)
    assert len(token) == 43
    assert Cipher("one").decrypt(token).startswith(b"1795454344|admin|")
    assert b"admin" not in Cipher("other").decrypt(token)


def test_a_changed_first_character_spoils_the_first_block_only():
    token = new_token(Cipher("one"), "admin", 1795454344)
    changed = ("B" if token[0] == "A" else "A") + token[1:]
    plain = Cipher("one").decrypt(changed)
    assert b"admin" not in plain
    assert plain[16:] == Cipher("one").decrypt(token)[16:]


@pytest.mark.parametrize("token", ["bad", "a b", "中"])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(ValueError):
        Cipher("one").decrypt(token)


def test_only_the_right_password_fits():
    stored = passwords.hash_password("right", "salt")
    assert passwords.check_password("right", stored)
    assert not passwords.check_password("wrong", stored)
