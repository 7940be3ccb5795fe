"""Run the rounds of an exchange through Ansible on the hosts of a lab, with the playbook of the documentation."""

from __future__ import annotations

from pathlib import Path

from docs.pages import engine_words

from lab.control import Lab
from selftests.proofs.environments import environment

REQUIREMENT = "ansible-core==2.19.14"
SECONDS = 400


class Ansible:
    """An inventory of Ansible for the hosts of a lab. unreachable: a host whose sshd it looks for at another port."""

    def __init__(self, lab: Lab, folder: Path, account: str, unreachable: str = "") -> None:
        self.lab, self.folder, self.account = lab, folder, account
        folder.mkdir(exist_ok=True)
        lines = [
            host.name + (" ansible_port=2" if host.name == unreachable else "") for host in lab.layout.hosts
        ]
        (folder / "hosts").write_text("\n".join(lines) + "\n")

    def run(self, place: Path) -> None:
        """Run the scripts of a round."""
        program = environment("ansible", REQUIREMENT) / "bin/ansible-playbook"
        folder = str(place.parent)
        words = engine_words("", "ansible-playbook", HOSTS=str(self.folder / "hosts"), DIR=folder)
        words = [word.replace("round-1", place.name) for word in words]
        options = ["-u", self.account, *["--become"] * (self.account != "root")]
        settings = {
            "ANSIBLE_SSH_ARGS": f"-F {self.lab.state_dir / 'ssh_config'}",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_FORKS": "9",
            "LANG": "C.UTF-8",
        }
        command = (str(program), *words[1:], *options)
        done = self.lab.run_program(*command, seconds=SECONDS, environment=settings)
        (self.folder / "output").write_text(done.stdout)
