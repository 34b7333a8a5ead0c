"""`.ci/run` on machines of several kinds. Programs are scripts that note how they were called."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

CI = Path(__file__).parents[2] / ".ci" / "run"
PROGRAMS = ("prometheus", "prometheus-alertmanager", "chromium", "docker-compose")


@dataclass
class Machine:
    """A checkout and a PATH with what is put there, and nothing else."""

    checkout: Path
    bin: Path
    log: Path

    def program(self, name: str, body: str = "") -> None:
        file = self.bin / name
        file.write_text(f'#!{shutil.which("bash")}\necho "{name} $*" >>"{self.log}"\n{body}\n')
        file.chmod(0o755)

    def run(self) -> subprocess.CompletedProcess[str]:
        command = [shutil.which("bash"), str(self.checkout / ".ci" / "run")]
        return subprocess.run(
            command, env={"PATH": str(self.bin)}, capture_output=True, text=True, timeout=30, check=False
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path) -> Machine:
    made = Machine(tmp_path / "checkout", tmp_path / "bin", tmp_path / "log")
    (made.checkout / ".ci").mkdir(parents=True)
    made.bin.mkdir()
    shutil.copy(CI, made.checkout / ".ci" / "run")
    for name in ("dirname", "env", "chmod", "touch"):
        (made.bin / name).symlink_to(shutil.which(name))
    made.program("make", f'echo "$PWD ${{!REQUIRE_*}}" >>"{made.log}"')
    made.program("sleep")
    as_user(made, 0)
    return made


def as_user(machine: Machine, number: int) -> None:
    (machine.bin / "id").write_text(f"#!{shutil.which('bash')}\necho {number}\n")
    (machine.bin / "id").chmod(0o755)


def installs(machine: Machine) -> str:
    """An apt-get that leaves the programs behind that it was asked for."""
    return (
        f'for word in "$@"; do case $word in {"|".join(PROGRAMS)}) '
        f'touch "{machine.bin}/$word"; chmod +x "{machine.bin}/$word";; esac; done'
    )


def test_where_everything_is_there_it_only_checks_and_requires_all(machine):
    for name in PROGRAMS:
        machine.program(name)
    machine.program("apt-get")
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    required = "REQUIRE_CHROMIUM REQUIRE_DOCKER_COMPOSE REQUIRE_PROMETHEUS"
    assert machine.calls == ["make check", f"{machine.checkout} {required}"]


def test_it_installs_what_is_missing_and_nothing_else(machine):
    for name in ("prometheus", "chromium"):
        machine.program(name)
    machine.program("apt-get", installs(machine))
    assert machine.run().returncode == 0
    options = "--quiet --yes -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300"
    assert machine.calls[:3] == [
        f"apt-get {options} update",
        f"apt-get {options} install --no-install-recommends prometheus-alertmanager docker-compose",
        "make check",
    ]


def test_what_fails_once_is_tried_again(machine):
    machine.program(
        "apt-get",
        f'{installs(machine)}\n[[ -e "{machine.bin}/tried" ]] || {{ touch "{machine.bin}/tried"; exit 100; }}',
    )
    assert machine.run().returncode == 0
    assert [call.split()[-1] for call in machine.calls[:4]] == ["update", "10", "update", "docker-compose"]


def test_what_fails_three_times_is_said(machine):
    machine.program("apt-get", "exit 100")
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr == f".ci/run: apt-get update failed three times; needs {' '.join(PROGRAMS)}\n"
    assert "make check" not in machine.calls


def test_without_apt_get_it_says_what_is_needed(machine):
    machine.program("chromium")
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr == (
        ".ci/run: needs prometheus prometheus-alertmanager docker-compose, and there is no apt-get to install them; "
        "install them by other means\n"
    )


def test_a_user_without_sudo_is_told(machine):
    as_user(machine, 1000)
    machine.program("apt-get", installs(machine))
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr == (
        f".ci/run: needs {' '.join(PROGRAMS)}; installing them takes root, or sudo, which is not there\n"
    )


def test_a_sudo_that_asks_for_a_password_is_not_waited_for(machine):
    as_user(machine, 1000)
    machine.program("apt-get", installs(machine))
    machine.program("sudo", "exit 1")
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr == (
        f".ci/run: needs {' '.join(PROGRAMS)}; installing them takes root, and sudo asks for a password\n"
    )


def test_a_user_with_sudo_installs_by_it(machine):
    as_user(machine, 1000)
    machine.program("apt-get", installs(machine))
    machine.program("sudo", 'shift; [[ $1 == true ]] && exit; "$@"')
    assert machine.run().returncode == 0
    assert (
        sum(call.startswith("sudo -n env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get") for call in machine.calls)
        == 2
    )


def test_a_package_without_its_program_is_an_error(machine):
    machine.program("apt-get")
    done = machine.run()
    assert done.returncode == 1
    assert done.stderr == ".ci/run: installed the package prometheus, but there is no program of that name\n"


def test_a_failed_check_fails_it(machine):
    for name in PROGRAMS:
        machine.program(name)
    machine.program("make", "exit 2")
    assert machine.run().returncode == 2
