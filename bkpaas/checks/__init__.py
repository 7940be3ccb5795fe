"""The public API for test modules, the suite's own and a site's. A test module imports nothing else of bkpaas.

Contents: the decorator `condition`, `Finding`, the scopes and causes of a condition, the types of all facts,
`NoData` and `NotApplicable`, texts in two languages, and helpers that several checks share.
The fixtures of a check are the parameters listed in docs/custom-checks.md; their types are exported here.
"""

from bkpaas.catalogue.model import Cause, Text, anywhere, same_host, same_link, seen_from_host, source, target
from bkpaas.catalogue.scope import OnController, PerHost, PerLink, PerPair, Subject
from bkpaas.catalogue.variables import login_command as ssh_command
from bkpaas.checks.case import CaseMessage, about, case, combined, connection_case, several
from bkpaas.checks.clocks import (
    FEWEST_CLOCKS,
    access_time,
    ended_between_rounds,
    host_time,
    later_time,
    log_time,
    usual_clock,
)
from bkpaas.checks.condition import condition
from bkpaas.checks.conf_edits import conf_edits
from bkpaas.checks.cookies import cookie_problems
from bkpaas.checks.database import (
    LOGIN_TABLES,
    PASSWORD_EXPIRED,
    database_connection,
    database_state,
    database_states,
    database_works,
    host_accounts,
    login_obstacle,
    name_database,
    read_only_variables,
    refuses_password,
    statement_failure,
)
from bkpaas.checks.edits import (
    Edit,
    add_setting,
    append_line,
    copy_setting,
    edit_of,
    hidden_copy,
    nearest,
    port_of_uwsgi,
    replace_first,
    replace_in_line,
    unset_setting,
    without_nameservers,
)
from bkpaas.checks.finding import Finding
from bkpaas.checks.generations import (
    GENERATIONS,
    as_paas_hosts,
    require_one_generation,
    require_project,
    require_supervisord,
)
from bkpaas.checks.loaded import (
    changes,
    clock_slack,
    edits_since,
    keeps_settings,
    load_time,
    newer_files,
    only_touched,
    settings_changes,
)
from bkpaas.checks.log_edits import (
    LOGSTASH_DAY,
    agent_edits,
    deliver_to,
    name_index,
    without_drop,
)
from bkpaas.checks.log_index import (
    es_addresses,
    index_names,
    newest_by_source,
    setting_text,
    waiting_lines,
)
from bkpaas.checks.log_search import (
    IpAddress,
    addresses,
    hosts_at,
    is_loopback,
    own_addresses,
    parsers,
    redis_endpoint,
    require_log_search,
    unknown_field,
    valid_addresses,
)
from bkpaas.checks.login import BEHIND_THE_DOMAIN, check_refusal, setting
from bkpaas.checks.lookup import HostLookup, port_of_service
from bkpaas.checks.modules import hosts_with_module, idle_placeholders, is_placeholder
from bkpaas.checks.nginx import (
    INTERNAL_NAME,
    INTERNAL_PORT,
    SERVICE_OF_PATH,
    UPSTREAM_SERVICES,
    default_servers,
    host_was_put_right,
    keeps_host,
    nginx_addresses,
    own_answer,
    platform_servers,
    platform_upstreams,
    refused_address,
    selected_server,
    server_name_fits,
    servers_of_domain,
    servers_of_name,
    serving_servers,
    shadowing_server,
    stopped_nginx,
    upstream_component,
)
from bkpaas.checks.nginx_edits import (
    addresses_of,
    allow,
    complete_upstreams,
    lead_to,
    left_out,
    listen_again,
    listen_on,
    move_server,
    open_paas_servers,
    without_name,
    without_return,
)
from bkpaas.checks.nginx_refusals import (
    HOSTS_OF_DOMAIN,
    USER_PATHS,
    client_of,
    limit_text,
    limits_in_line,
    misled,
    refusal_of_users,
    refused_hosts,
)
from bkpaas.checks.nginx_repairs import nginx_edit_of, repairs, set_in_effect
from bkpaas.checks.permissions import (
    EXECUTE,
    READ,
    WRITE,
    closed_path,
    may_use,
    unusable_directories,
    worker_uids,
)
from bkpaas.checks.phrases import (
    clauses,
    labelled,
    mentions,
    no_answer,
    offset,
    request_failure,
    seconds,
    sorted_uids,
)
from bkpaas.checks.programs import control_of, missing_program, other_socket, require_no_problems
from bkpaas.checks.proxies import ConfiguredProxies, ProxyVariable, configured_proxies, java_proxies
from bkpaas.checks.proxy_edits import proxy_exceptions
from bkpaas.checks.rights import collecting_account, unreadable_for_want_of_rights
from bkpaas.checks.role_places import SETTINGS_OF_ROLE, misplaced_roles, role_places
from bkpaas.checks.role_signs import ROLE_SIGNS, app_role_in_use, own_interfaces
from bkpaas.checks.role_signs import Sign as RoleSign
from bkpaas.checks.service_ports import SERVICE_SETTINGS, expected_port, leads_to_own_service
from bkpaas.checks.start_edits import start_edits
from bkpaas.checks.unanswered import unanswered_case, unanswered_places
from bkpaas.checks.unread import Noun, unread_nouns
from bkpaas.checks.values import (
    SHARED_SETTINGS,
    SettingReadings,
    accepts_host,
    all_readings,
    deviating_hosts,
    deviating_readings,
    equal,
    groups,
    is_own,
    lost_settings,
    own_readings,
    readings,
    shared_readings,
)
from bkpaas.checks.values import Reading as SettingReading
from bkpaas.checks.zones import zone_offset
from bkpaas.errors import NoData, NotApplicable, message_of
from bkpaas.facts import (
    Access,
    Addresses,
    Agent,
    AgentConfig,
    Answer,
    Answers,
    Certificate,
    Certificates,
    Clock,
    ConfProgram,
    Connection,
    Connections,
    ControllerView,
    Disk,
    Disks,
    Endpoint,
    FileFact,
    Health,
    Holder,
    HostView,
    Index,
    Listener,
    LogFile,
    LogHit,
    LoginAccess,
    LogPlugin,
    LogPlugins,
    Logs,
    Missing,
    Names,
    Nginx,
    NginxListen,
    NginxLocation,
    NginxServer,
    NginxUpstream,
    NginxUpstreamServer,
    Node,
    PathStats,
    Process,
    Processes,
    Program,
    Proxies,
    ProxySetting,
    RedisAnswer,
    RedisAnswers,
    RedisState,
    RedisTarget,
    Resolved,
    Saas,
    SaasRuns,
    Search,
    Searches,
    Service,
    Services,
    Settings,
    SettingsByProject,
    Snapshot,
    Sockets,
    Supervisor,
    Supervisors,
    System,
    TimeDaemon,
    TimeLimit,
    Unit,
    Units,
    UnixSocket,
    Value,
    Versions,
    WrittenLog,
    elasticsearch_endpoints,
    health,
    is_login_refusal,
)
from bkpaas.facts.access import login_access_log
from bkpaas.facts.applications import (
    MOST_APPLICATIONS,
    app_route,
    app_servers,
    application_path,
    queried_applications,
)
from bkpaas.facts.applications import Endpoint as ApplicationEndpoint
from bkpaas.facts.applications import endpoint as application_endpoint
from bkpaas.facts.bytecode import Compiled
from bkpaas.facts.containers import Container, Containers, container_of
from bkpaas.facts.database import Account as DatabaseAccount
from bkpaas.facts.database import DatabaseLogin
from bkpaas.facts.database import accounts as database_accounts
from bkpaas.facts.database import error_text as database_error_text
from bkpaas.facts.database_state import WRITTEN_TABLES, DatabaseState, RegisteredAgent, StatementError
from bkpaas.facts.elasticsearch import INDEX as LOG_INDEX
from bkpaas.facts.elasticsearch import complaint as elasticsearch_error
from bkpaas.facts.elasticsearch import speaks as is_elasticsearch
from bkpaas.facts.exceptions import FailedRoute, exception_subject, is_about_server
from bkpaas.facts.healthz import body_text
from bkpaas.facts.iam import IAM_SETTING
from bkpaas.facts.login import LoginFailure, LoginTrial
from bkpaas.facts.logs import TOO_LARGE_BODY
from bkpaas.facts.managers import (
    Manager,
    ServiceRun,
    process_of_program,
    service_of_container,
    service_of_unit,
)
from bkpaas.facts.managers import lines_of as program_lines
from bkpaas.facts.names import CONSUL_SUFFIX, RESOLVER_SILENT
from bkpaas.facts.nginx import APP_UPSTREAMS
from bkpaas.facts.nginx_location import Route as NginxRoute
from bkpaas.facts.nginx_location import route as nginx_route
from bkpaas.facts.nginx_location import serving_location
from bkpaas.facts.proxies import excepted
from bkpaas.facts.query import REDIRECTS, FileName, HttpName, TcpName
from bkpaas.facts.redis import (
    QUEUE_SECONDS,
    RedisKey,
    RedisKeyReadings,
    answers_commands,
    key_readings,
    refused_command,
    refuses_login,
)
from bkpaas.facts.redis_conf import RedisFile, RedisRunning
from bkpaas.facts.redis_state import READING, WRITING
from bkpaas.facts.retransmits import Link, Retransmits
from bkpaas.facts.services import ServicesView
from bkpaas.facts.settings import location_host, location_port
from bkpaas.facts.startup import (
    Need,
    Startup,
    accounts,
    app_directories,
    command_words,
    directories,
    needs,
    pid_files,
    static_directory,
)
from bkpaas.facts.uwsgi import service_endpoint
from bkpaas.facts.workers import FullQueue, WorkerDeath
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.platform import (
    DOCKER_UNIT,
    OPEN_PAAS_SERVICES,
    container_of_service,
    domain_healthz_paths,
    domain_paths,
    has_project,
    required_units,
    unit_of_service,
)
from bkpaas.messages import Message, both, joined, lines, msg, plural, series

say = both
"""The name before 0.2 of `both`."""

__all__ = [  # one name a line would take 200 lines
    "APP_UPSTREAMS", "BEHIND_THE_DOMAIN", "CONSUL_SUFFIX", "DOCKER_UNIT", "EXECUTE", "FEWEST_CLOCKS", "GENERATIONS",
    "HOSTS_OF_DOMAIN", "IAM_SETTING", "INTERNAL_NAME", "INTERNAL_PORT", "LOGIN_TABLES", "LOGSTASH_DAY", "LOG_INDEX", "MOST_APPLICATIONS",
    "OPEN_PAAS_SERVICES", "PASSWORD_EXPIRED", "QUEUE_SECONDS", "READ", "READING", "REDIRECTS", "RESOLVER_SILENT", "ROLE_SIGNS", "SERVICE_OF_PATH", "SERVICE_SETTINGS", "SETTINGS_OF_ROLE", "SHARED_SETTINGS",
    "TOO_LARGE_BODY", "UPSTREAM_SERVICES", "USER_PATHS", "WRITE", "WRITING", "WRITTEN_TABLES", "Access", "Addresses", "Agent", "AgentConfig",
    "Answer", "Answers", "ApplicationEndpoint", "CaseMessage", "Cause", "Certificate", "Certificates", "Clock",
    "Compiled", "ConfProgram", "ConfiguredProxies", "Connection", "Connections", "Container", "Containers", "ControllerView",
    "DatabaseAccount", "DatabaseLogin", "DatabaseState", "Deployment", "Disk", "Disks", "Edit", "Endpoint", "FailedRoute",
    "FileFact", "FileName", "Finding", "FullQueue", "Health", "Holder", "Host", "HostLookup", "HostView",
    "HttpName", "Index", "IpAddress", "Link", "Listener", "LogFile", "LogHit", "LogPlugin", "LogPlugins",
    "LoginAccess", "LoginFailure", "LoginTrial", "Logs", "Manager", "Message", "Missing", "Names", "Need", "Nginx",
    "NginxListen", "NginxLocation", "NginxRoute", "NginxServer", "NginxUpstream", "NginxUpstreamServer", "NoData",
    "Node", "NotApplicable", "Noun", "OnController", "PathStats", "PerHost", "PerLink", "PerPair", "Process", "Processes",
    "Program", "Proxies", "ProxySetting", "ProxyVariable", "RedisAnswer", "RedisAnswers", "RedisFile", "RedisKey",
    "RedisKeyReadings", "RedisRunning", "RedisState", "RedisTarget", "RegisteredAgent", "Resolved", "Retransmits", "RoleSign",
    "Saas", "SaasRuns", "Search", "Searches", "Service", "ServiceRun", "Services", "ServicesView", "SettingReading",
    "SettingReadings", "Settings", "SettingsByProject", "Snapshot", "Sockets", "Startup", "StatementError",
    "Subject", "Supervisor", "Supervisors", "System", "TcpName", "Text", "TimeDaemon", "TimeLimit", "Unit", "Units",
    "UnixSocket", "Value", "Versions", "WorkerDeath", "WrittenLog", "about", "accepts_host", "access_time", "accounts",
    "add_setting", "addresses", "addresses_of", "agent_edits", "all_readings", "allow", "answers_commands", "anywhere",
    "app_directories", "app_role_in_use", "app_route", "app_servers", "append_line", "application_endpoint", "application_path", "as_paas_hosts",
    "body_text", "both", "case", "changes", "check_refusal", "clauses", "client_of", "clock_slack", "closed_path", "collecting_account",
    "combined", "command_words", "complete_upstreams", "condition", "conf_edits", "configured_proxies", "connection_case", "container_of",
    "container_of_service", "control_of", "cookie_problems", "copy_setting", "database_accounts", "database_connection", "database_error_text",
    "database_state", "database_states", "database_works", "default_servers", "deliver_to", "deviating_hosts",
    "deviating_readings", "directories", "domain_healthz_paths", "domain_paths", "edit_of", "edits_since",
    "elasticsearch_endpoints", "elasticsearch_error", "ended_between_rounds", "equal", "es_addresses", "excepted",
    "exception_subject", "expected_port", "groups", "has_project", "health", "hidden_copy", "host_accounts", "host_time", "host_was_put_right",
    "hosts_at", "hosts_with_module", "idle_placeholders", "index_names", "is_about_server", "is_elasticsearch",
    "is_login_refusal", "is_loopback", "is_own", "is_placeholder", "java_proxies", "joined", "keeps_host", "keeps_settings",
    "key_readings", "labelled", "later_time", "lead_to", "leads_to_own_service", "left_out", "limit_text", "limits_in_line", "lines", "listen_again", "listen_on", "load_time",
    "location_host", "location_port", "log_time", "login_access_log", "login_obstacle", "lost_settings", "may_use", "mentions",
    "message_of", "misled", "misplaced_roles", "missing_program", "move_server", "msg", "name_database", "name_index", "nearest", "needs", "newer_files",
    "newest_by_source", "nginx_addresses", "nginx_edit_of", "nginx_route", "no_answer", "offset", "only_touched",
    "open_paas_servers", "other_socket", "own_addresses", "own_answer", "own_interfaces", "own_readings", "parsers", "pid_files", "platform_servers",
    "platform_upstreams", "plural", "port_of_service", "port_of_uwsgi", "process_of_program", "program_lines", "proxy_exceptions",
    "queried_applications", "read_only_variables", "readings", "redis_endpoint", "refusal_of_users", "refused_address",
    "refused_command", "refused_hosts", "refuses_login", "refuses_password", "repairs", "replace_first", "replace_in_line", "request_failure", "require_log_search",
    "require_no_problems", "require_one_generation", "require_project", "require_supervisord", "required_units", "role_places",
    "same_host", "same_link", "say", "seconds", "seen_from_host", "selected_server", "series", "server_name_fits",
    "servers_of_domain", "servers_of_name", "service_endpoint", "service_of_container", "service_of_unit", "serving_location", "serving_servers",
    "set_in_effect", "setting", "setting_text", "settings_changes", "several", "shadowing_server", "shared_readings", "sorted_uids",
    "source", "ssh_command", "start_edits", "statement_failure", "static_directory", "stopped_nginx", "target", "unanswered_case", "unanswered_places", "unit_of_service", "unknown_field",
    "unread_nouns", "unreadable_for_want_of_rights", "unset_setting", "unusable_directories", "upstream_component", "usual_clock", "valid_addresses", "waiting_lines",
    "without_drop", "without_name", "without_nameservers", "without_return", "worker_uids", "zone_offset",
]  # fmt: skip
