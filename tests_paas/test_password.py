"""FAQ: resetting the access password: what the procedure needs."""

from collections.abc import Iterable, Mapping, Sequence

from bkpaas.checks import (
    BEHIND_THE_DOMAIN,
    CaseMessage,
    ControllerView,
    Deployment,
    FileFact,
    FileName,
    Finding,
    HostLookup,
    HostView,
    LoginFailure,
    Message,
    Missing,
    NoData,
    NotApplicable,
    Process,
    Service,
    Settings,
    case,
    clauses,
    combined,
    condition,
    database_states,
    directories,
    joined,
    labelled,
    lines,
    lost_settings,
    msg,
    name_database,
    plural,
    series,
    statement_failure,
)


@condition("bk-env-production")
def test_services_run_with_production_settings(host: HostView, finding: Finding) -> None:
    """Each service is started with BK_ENV=production: the settings of development have another database."""
    services = host.services.by_name
    if not services:
        raise NoData(msg("no service's uwsgi file was found"))
    wrong = {name: service for name, service in services.items() if not _is_production(host, service)}
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE")
    finding.add_evidence(f"BK_ENV=production: {', '.join(sorted(services))}")
    problems = [(name, _wrong_environment(service)) for name, service in sorted(wrong.items())]
    assert not wrong, combined(
        [problem for _, problem in problems],
        lines(problem.evidence for _, problem in problems),
        services=series(name for name, problem in problems if problem.case == problems[0][1].case),
    )


def _wrong_environment(service: Service) -> CaseMessage:
    if service.bk_env is None:
        return case("not-set", "{path}: BK_ENV is not set", path=service.ini.path)
    return case("not-production", lines([f"{service.ini.path}: BK_ENV={service.bk_env}"]))


def _is_production(host: HostView, service: Service) -> bool:
    """Set in its own file, or given to its process at the start."""
    if service.bk_env is not None:
        return service.bk_env == "production"
    if service.ini.error is not None:
        raise NoData(labelled(service.ini.path, service.ini.error))
    started = _started(host, service.name)
    unreadable = [process for process in started if process.environ is None]
    if unreadable:
        raise NoData(
            msg(
                "{path} does not set BK_ENV, and /proc/{pid}/environ cannot be read",
                path=service.ini.path,
                pid=unreadable[0].pid,
            )
        )
    environments = [process.environ for process in started if process.environ is not None]
    return bool(started) and all(one.get("BK_ENV") == "production" for one in environments)


def _started(host: HostView, service: str) -> Sequence[Process]:
    """Return the processes of a service, or supervisord, which passes its own variables to what it starts."""
    supervisors = host.facts.supervisors
    supervisor = None if isinstance(supervisors, Missing) else supervisors.by_module.get("open_paas")
    pids = [
        program.pid
        for program in (supervisor.status if supervisor else None) or ()
        if program.name == service
    ]
    own = [process for pid in pids if pid and (process := host.processes.get(pid))]
    return host.processes.uwsgi_masters(service) or own or host.processes.supervisords()


@condition("settings-valid")
def test_settings_files_can_be_loaded(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """No settings file has a syntax error or a template variable that was not replaced."""
    unread: list[Message] = []
    wrong: dict[str, list[Message | str]] = {}
    invalid = False
    checked = {
        project: settings
        for project, settings in host.settings.by_project.items()
        if deployment.generation == "5.x" or project in host.services.by_name
    }
    absent = {
        project: settings.files[-1].path
        for project, settings in checked.items()
        if settings.files
        and not settings.files[-1].exists
        and _is_loaded(host, deployment, project, settings)
    }
    finding.affects_services(absent)
    finding.set_remedy_values(service=" ".join(sorted(absent)) or "SERVICE")
    assert not absent, _absent(host, absent)
    for project, settings in checked.items():
        unread += [labelled(file.path, file.error) for file in settings.files if file.error is not None]
        problems: list[Message | str] = [
            problem for problem in settings.problems if not _is_unread(problem, settings.files)
        ]
        problems += settings.placeholders
        if problems:
            wrong[project] = problems
            invalid = invalid or any(problem in settings.problems for problem in problems)
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE")
    finding.add_evidence(", ".join(sorted(checked)))
    text = lines(labelled(project, clauses(problems[:5])) for project, problems in sorted(wrong.items()))
    projects = series(sorted(wrong))
    assert not invalid, case("invalid", text, projects=projects)
    assert not wrong, case("placeholder", text, projects=projects)
    unread += [
        msg("{location} may set any setting in a way that is not followed here", location=settings.unfollowed)
        for settings in checked.values()
        if lost_settings(settings)
    ]
    if unread:
        raise NoData(clauses(unread[:3]))


def _absent(host: HostView, absent: Mapping[str, str]) -> CaseMessage:
    """Return the case of settings files that are not there, by project: alone, or with their directory."""
    evidence = lines(msg("{path} does not exist", path=path) for _, path in sorted(absent.items()))
    paths = {} if isinstance(host.facts.startup, Missing) else host.startup.paths
    for project, file in sorted(absent.items()):
        for path in directories(file):
            if path in paths and paths[path].type == "missing":
                return case("directory-gone", evidence, projects=project, path=path)
    return case("absent", evidence, projects=series(sorted(absent)))


def _is_loaded(host: HostView, deployment: Deployment, project: str, settings: Settings) -> bool:
    """Return whether a service loads the last settings file of its project.

    On 5.x it does so with BK_ENV=production, where it is started here in the project's directory.
    """
    if deployment.generation == "6.x":
        return True
    service = host.services.by_name.get(project)
    if service is None or host.services.run(project).state == "absent":
        return False
    path = settings.files[-1].path
    startup = host.facts.startup
    if not isinstance(startup, Missing) and any(
        one.source == path and one.source_size is None for one in startup.compiled
    ):
        return False  # Python 2 loads a compiled file without its source
    in_directory = service.chdir is not None and path.startswith(f"{service.chdir}/")
    return in_directory and (len(settings.files) == 1 or service.bk_env == "production")


def _is_unread(problem: Message | str, files: Iterable[FileFact]) -> bool:
    """Return whether a problem is that a file could not be read: not a fault of the file."""
    text = problem.render("en") if isinstance(problem, Message) else problem
    return any(
        file.error is not None and text == labelled(file.path, file.error).render("en") for file in files
    )


@condition("password-reset-ready")
def test_password_could_be_reset(host: HostView, finding: Finding) -> None:
    """manage.py of login and the Python of its virtual environment are in place."""
    missing = []
    for name in (FileName.LOGIN_MANAGE, FileName.LOGIN_PYTHON):
        paths = host.path_stats.get(name)
        there = [path.path for path in paths if path.exists and path.type == "file"]
        finding.add_evidence(" ".join(there))
        missing += [] if there else [path.path for path in paths]
    assert not missing, case("missing", "missing: {paths}", paths=", ".join(missing))


@condition("password-hashes")
def test_password_of_admin_is_a_hash(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """admin has a hash as password, or none: a password that was set in the table by hand fits nothing."""
    unknown: list[Message | str] = []
    for account, endpoint, state in database_states(host, unknown):
        if "login" not in account.tables_of:
            continue
        name_database(account, host, deployment, host_facts, finding)
        place = f"{endpoint}/{account.database}"
        if error := state.errors.get("bkaccount_bkuser"):
            unknown.append(labelled(place, statement_failure(error)))
        elif state.unhashed is not None:
            assert not state.unhashed.administrators, case(
                "administrator",
                "{place}: the password of admin in bkaccount_bkuser is not a hash",
                place=place,
            )
            others = plural("{count} user", "{count} users", count=state.unhashed.users)
            finding.add_evidence(
                msg(
                    "{place}: {users} with a password that is not a hash, admin is not one of them",
                    place=place,
                    users=others,
                )
            )
        elif state.filled.get("bkaccount_bkuser", True):
            unknown.append(labelled(place, msg("the passwords were not counted")))
    if unknown:
        raise NoData(lines(unknown))
    if not finding.evidence:
        raise NotApplicable(msg("there is no user"))


@condition("login-works")
def test_a_user_who_logs_in_is_logged_in(
    controller: ControllerView, deployment: Deployment, finding: Finding
) -> None:
    """The password is accepted, every paas host accepts the token immediately, and the platform does not ask again."""
    trial = controller.facts.login
    if trial is None:
        raise NotApplicable(msg("no login was tried: give --login-user USER to log in for real"))
    finding.depends_on_hosts(entry.name for entry in deployment.hosts_with(*BEHIND_THE_DOMAIN))
    if trial.failures:
        text = lines(
            msg("{step}: {url}: {problem}", step=failure.step, url=failure.where, problem=failure.message)
            for failure in trial.failures
        )
        raise AssertionError(_login_failure(trial.failures[0], text))
    if trial.refused:
        raise NoData(
            msg(
                "the password of {user} was not accepted ({refused}); it is not tried again",
                user=trial.user,
                refused=trial.refused,
            )
        )
    finding.add_evidence(
        joined(
            "; ",
            [
                msg(
                    "{user} logged in {logins} times; tokens accepted by {hosts}",
                    user=trial.user,
                    logins=trial.logins,
                    hosts=", ".join(trial.verified_on) or msg("the domain"),
                ),
                *(msg("{name} was requested through the domain only", name=name) for name in trial.unreached),
            ],
        )
    )


def _login_failure(failure: LoginFailure, text: Message) -> CaseMessage:
    """Return the case of a login that fails at a step of its address."""
    step, where = failure.step, failure.where
    if step == "form":
        return case("no-form", text, where=where)
    if step == "password":
        return case("password-not-accepted", text)
    if step == "token":
        return case("token-refused", text, where=where)
    asks = isinstance(failure.message, str) and failure.message.startswith(("HTTP 2", "HTTP 3", "HTTP 4"))
    if step == "platform" and not asks:
        return case("platform-fails", text)
    return case("asked-again", text)
