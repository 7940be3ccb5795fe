"""Which file systems are looked at: those of every host, and those where the data of its roles may lie."""

from bkpaas.collect import plan
from bkpaas.inventory.deployment import Connection, Deployment, Host


def test_data_on_file_systems_of_their_own_are_looked_at() -> None:
    connection = Connection("ssh://root@10.0.1.5")
    data, job = (
        Host(name, "10.0.1.5", roles, connection) for name, roles in (("d", ("mysql", "es")), ("j", ("job",)))
    )
    deployment = Deployment("x", "5.x", (data, job), "paas.bk.com")
    usual = plan.round_1(job, deployment)["disks"]
    assert usual == ["/", "/tmp", "/var", "/var/log", "/var/tmp", "/run", "{home}", "{home}/logs"]
    assert {"/var/lib/mysql", "{home}/service/es"} <= set(plan.round_1(data, deployment)["disks"]) - set(
        usual
    )
