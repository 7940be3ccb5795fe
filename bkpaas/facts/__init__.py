"""Hold the collected facts, typed and without secrets, one type per noun.

A fact that is not available is Missing(reason); HostView raises NoData(reason) when it is read.
"""

from bkpaas.facts.access import Access, LoginAccess
from bkpaas.facts.agent import Agent, AgentConfig, Saas, SaasRuns, TimeLimit
from bkpaas.facts.answers import Answer, Answers, Connection, Connections
from bkpaas.facts.build import controller_facts, host_facts
from bkpaas.facts.certificates import Certificate, Certificates
from bkpaas.facts.clock import Clock
from bkpaas.facts.controller import ControllerView
from bkpaas.facts.disks import Disk, Disks, Holder
from bkpaas.facts.elasticsearch import Endpoint, Index, Node, Search, Searches, elasticsearch_endpoints
from bkpaas.facts.file import FileFact, PathStats
from bkpaas.facts.healthz import Health, health, is_login_refusal
from bkpaas.facts.host import HostFacts, HostView
from bkpaas.facts.log_plugin_conf import RedisTarget
from bkpaas.facts.log_plugins import LogFile, LogPlugin, LogPlugins
from bkpaas.facts.log_writers import WrittenLog
from bkpaas.facts.logs import LogHit, Logs
from bkpaas.facts.missing import Missing
from bkpaas.facts.names import Names, Resolved
from bkpaas.facts.nginx import (
    Nginx,
    NginxListen,
    NginxServer,
    NginxUpstream,
    NginxUpstreamServer,
)
from bkpaas.facts.nginx_location import NginxLocation
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.proxies import Proxies, ProxySetting
from bkpaas.facts.redis import RedisAnswer, RedisAnswers
from bkpaas.facts.redis_state import RedisState, RedisStates
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.settings import Settings, SettingsByProject, Value
from bkpaas.facts.snapshot import ControllerFacts, Snapshot
from bkpaas.facts.sockets import Listener, Sockets, UnixSocket
from bkpaas.facts.supervisor import Program, Supervisor, Supervisors
from bkpaas.facts.supervisor_conf import ConfProgram
from bkpaas.facts.system import Addresses, System
from bkpaas.facts.systemd import Unit, Units
from bkpaas.facts.timedaemon import TimeDaemon
from bkpaas.facts.uwsgi import Service, Services
from bkpaas.facts.versions import Versions

__all__ = [
    "Access",
    "Addresses",
    "Agent",
    "AgentConfig",
    "Answer",
    "Answers",
    "Certificate",
    "Certificates",
    "Clock",
    "ConfProgram",
    "Connection",
    "Connections",
    "ControllerFacts",
    "ControllerView",
    "Disk",
    "Disks",
    "Endpoint",
    "FileFact",
    "Health",
    "Holder",
    "HostFacts",
    "HostView",
    "Index",
    "Listener",
    "LogFile",
    "LogHit",
    "LogPlugin",
    "LogPlugins",
    "LoginAccess",
    "Logs",
    "Missing",
    "Names",
    "Nginx",
    "NginxListen",
    "NginxLocation",
    "NginxServer",
    "NginxUpstream",
    "NginxUpstreamServer",
    "Node",
    "PathStats",
    "Process",
    "Processes",
    "Program",
    "Proxies",
    "ProxySetting",
    "RedisAnswer",
    "RedisAnswers",
    "RedisState",
    "RedisStates",
    "RedisTarget",
    "Resolved",
    "Saas",
    "SaasRuns",
    "Search",
    "Searches",
    "Secrets",
    "Service",
    "Services",
    "Settings",
    "SettingsByProject",
    "Snapshot",
    "Sockets",
    "Supervisor",
    "Supervisors",
    "System",
    "TimeDaemon",
    "TimeLimit",
    "Unit",
    "Units",
    "UnixSocket",
    "Value",
    "Versions",
    "WrittenLog",
    "controller_facts",
    "elasticsearch_endpoints",
    "health",
    "host_facts",
    "is_login_refusal",
]
