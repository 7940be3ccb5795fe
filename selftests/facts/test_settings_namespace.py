"""Settings that are set by other means than an assignment: followed, or unknown and never the earlier value."""

import pytest
from recorded import entry

from bkpaas.errors import NoData
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.settings import settings

HERE = "/home/open_paas/login/conf"
SHOWN = frozenset(("X", "Y", "HOST", "PORT", "NAME", "DB", "OTHER"))


def read(*sources, modules=None, environment=None):
    files = {
        f"settings-login-{number}": [entry(f"{HERE}/{name}.py", source)]
        for number, (name, source) in enumerate(
            zip(("default", "settings_production"), sources, strict=False), 1
        )
    }
    if modules is not None:
        files["module-login"] = [entry(f"{HERE}/{name}.py", text) for name, text in modules.items()]
    environments = {} if environment is None else {"login": environment.__getitem__}
    return settings(files, Secrets(), shown=SHOWN, environments=environments).by_project["login"]


@pytest.mark.parametrize(
    "statement",
    [
        "from somewhere import *",
        "from ee_login.settings_login import *",
        "exec(open('local.py').read())",
        "exec open('local.py').read()",
        "exec code in globals()",
        "execfile('local.py')",
        "globals().update(load())",
        "globals()[name] = 2",
        "locals().update(**load())",
        "vars()[name] = 2",
        "g = globals()\ng.update(load())",
        "module = sys.modules[__name__]\nsetattr(module, name, 2)",
        "setattr(sys.modules[__name__], name, 2)",
        "sys.modules[__name__].__dict__.update(load())",
        "load_settings(globals())",
        "env.read(scope=locals())",
        "def override():\n    globals().update(load())\noverride()",
        "def override():\n    global X, Y\n    X = 2\noverride()",
        "for key, value in load().items():\n    globals()[key] = value",
        "if os.path.exists('x'):\n    from somewhere import *",
        "try:\n    from somewhere import *\nexcept ImportError:\n    pass",
        "with open('x') as f:\n    exec(f.read())",
        "del X",
        "from somewhere import X",
        "for X in load():\n    pass",
    ],
)
def test_a_value_is_unknown_after_what_cannot_be_followed(statement):
    project = read(f"X = 1\n{statement}\n")
    with pytest.raises(NoData):
        project.get("X")
    assert read(f"X = 1\n{statement}\nX = 3\n").get("X").value == 3


@pytest.mark.parametrize("statement", ["from somewhere import *", "globals().update(load())"])
def test_a_name_that_is_not_set_may_be_set_by_it(statement):
    with pytest.raises(NoData, match=r"default.py:1 may set Y"):
        read(f"{statement}\nX = 1\n").get("Y")
    assert read("X = 1\n").get("Y") is None


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("globals()['X'] = 2", 2),
        ("globals().update(X=2)", 2),
        ("globals().update({'X': 2, 'Z': 5})", 2),
        ("locals()['X'] = 'a' 'b'", "ab"),
        ("setattr(sys.modules[__name__], 'X', 2)", 2),
        ("sys.modules[__name__].X = 2", 2),
        ("module = __import__('a.b', globals(), locals(), ['*'])", 1),
        ("setattr(SomeClass, 'X', 2)", 1),
        ("exec 'X = 5' in {}", 1),
        ("def never_called():\n    global X\n    X = 2", 1),
        ("class A:\n    X = 2", 1),
        ("logging.config.dictConfig({})", 1),
        ("from conf.settings_other import *", 7),
        ("from .settings_other import *", 7),
        ("from settings_other import *", 7),
        ("try:\n    from conf.settings_other import *\nexcept ImportError:\n    pass", 7),
        ("try:\n    from conf.absent import *\nexcept ImportError:\n    pass", 1),
        ("from conf.settings_loop import *", 9),
    ],
)
def test_what_can_be_followed_is(statement, expected):
    modules = {"settings_other": "X = 7\n", "settings_loop": "from conf.settings_loop import *\nX = 9\n"}
    assert read(f"X = 1\n{statement}\n", modules=modules).get("X").value == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DB['default']['HOST'] = 'b'", {"HOST": "b", "PORT": 1}),
        ("DB['default'].update(HOST='b')", {"HOST": "b", "PORT": 1}),
        ("DB['default'].update({'HOST': 'b', 'PORT': 2})", {"HOST": "b", "PORT": 2}),
        ("OTHER = DB['default']\nOTHER['HOST'] = 'b'", {"HOST": "b", "PORT": 1}),
        ("DB.update(default={'HOST': 'c'})", {"HOST": "c"}),
        ("DB = dict(DB, default=dict(HOST='d'))", {"HOST": "d"}),
    ],
)
def test_changes_of_a_dictionary_are_followed(statement, expected):
    project = read(f"DB = {{'default': {{'HOST': 'a', 'PORT': 1}}}}\n{statement}\n")
    assert project.get("DB").value["default"] == expected


def test_a_change_that_is_not_known_leaves_no_value():
    project = read("DB = {'default': {'HOST': 'a'}}\nDB['default'].update(load())\n")
    with pytest.raises(NoData):
        project.get("DB")


def test_the_production_file_may_import_the_default_one():
    project = read("X = 1\nY = 2\n", "X = 5\nfrom conf.default import *\nY = 3\n")
    assert (project.get("X").value, project.get("Y").value) == (1, 3)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("os.environ.get('SET', 'd')", "v"),
        ("os.environ.get('UNSET', 'd')", "d"),
        ("os.environ.get('UNSET') or 'd'", "d"),
        ("os.getenv('UNSET', 'd')", "d"),
        ("os.environ['SET']", "v"),
        ("environ.get('SET')", "v"),
        ("int(os.environ.get('UNSET', '60'))", 60),
        ("'yes' if 'SET' in os.environ else 'no'", "yes"),
        ("os.path.join('/a', 'b')", "/a/b"),
        ("os.path.dirname(os.path.abspath(__file__))", HERE),
        ("'http://a/'.rstrip('/')", "http://a"),
        ("','.join(['a', 'b'])", "a,b"),
        ("str(3306)", "3306"),
        ("'%s' % os.environ.get('SET')", "v"),
    ],
)
def test_environment_and_calls(source, expected):
    project = read(f"import os\nX = {source}\n", environment={"SET": "v", "UNSET": None})
    assert project.get("X").value == expected


def test_unknown_variables_are_listed_to_be_asked_for():
    project = read("X = os.environ.get('NOT_ASKED', 'd')\n", environment={})
    assert project.get("X").kind == "expression" and project.variables == ("NOT_ASKED",)
