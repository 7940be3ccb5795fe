"""The plan asks for the file systems of every host and those that may hold the data of its roles."""

from bkpaas.collect import plan
from bkpaas.inventory.deployment import Connection, Deployment, Host


def test_separate_file_systems_of_data_are_collected() -> None:
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
