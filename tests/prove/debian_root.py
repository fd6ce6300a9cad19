"""A Debian 12 with python3 and nothing else, as a folder: made with debootstrap from the mirror that this machine uses.

A command runs in it as root, in mount and process namespaces of its own: whatever it mounts or leaves running ends with
it, and nothing is ever mounted where this process could delete through it.
"""

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
CACHE_DAYS = 7
ENTER = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && cd / && exec chroot "$0" "$@"'
PASSED_ON = re.compile(r"^(PIP_|UV_|SSL_CERT_|(http|https|no)_proxy$)", re.IGNORECASE)


@dataclass(frozen=True)
class DebianRoot:
    folder: Path

    def run(self, *command: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """In /root, without standard input; standard output and error together."""
        passed_on = [f"{name}={value}" for name, value in os.environ.items() if PASSED_ON.match(name)]
        inside = ["env", "-i", "-C", "/root", "HOME=/root", "CI=true", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *passed_on, *command]
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, str(self.folder), *inside],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )


def why_not() -> str:
    """Why such a root cannot be made here; "" when it can."""
    if not Path("/etc/debian_version").exists() or host_mirror() is None:
        return "needs a Debian whose mirror can be used"
    if getattr(os, "geteuid", lambda: 1)() != 0:
        return "needs root, for debootstrap and chroot"
    missing = [program for program in ("debootstrap", "unshare", "chroot", "tar") if not shutil.which(program)]
    return f"needs {', '.join(missing)}" if missing else ""


def host_mirror() -> str | None:
    """The first archive in this machine's apt sources with the release that it runs (both forms of sources.list(5))."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), flags=re.MULTILINE)
    codename = release[1] if release else SUITE
    apt = Path("/etc/apt")
    for path in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))):
        text = path.read_text() if path.suffix in {".list", ".sources"} and path.exists() else ""
        for uri, suites, components in archives(text):
            if codename in suites and "main" in components:
                return uri
    return None


def archives(text: str) -> list[tuple[str, list[str], list[str]]]:
    """(address, suites, components) of each binary archive in a sources file of either form."""
    found = []
    for line in re.findall(r"^deb\s+(?:\[.*?\]\s+)?(.+)$", text, flags=re.MULTILINE):
        uri, suite, *components = line.split()
        found.append((uri, [suite], components))
    for stanza in re.split(r"\n\s*\n", text):
        fields = {name.lower(): value.split() for name, value in re.findall(r"^([\w-]+):(.*)$", stanza, flags=re.MULTILINE)}
        if "deb" in fields.get("types", []) and fields.get("enabled") != ["no"]:
            found += [(uri, fields.get("suites", []), fields.get("components", [])) for uri in fields.get("uris", [])]
    return found


def make_debian_root(folder: Path) -> DebianRoot:
    """A fresh root in `folder`, unpacked from an archive that is made anew once a week."""
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-xf", str(bootstrapped()), "-C", str(folder)], check=True)
    lend_network(folder)
    return DebianRoot(folder)


def bootstrapped() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "tagloom-prove")
    archive = cache / f"{SUITE}.tar"
    if archive.exists() and time.time() - archive.stat().st_mtime < CACHE_DAYS * 86400:
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{SUITE}-{os.getpid()}"
    mirror = host_mirror()
    assert mirror is not None
    command = ["debootstrap", "--variant=minbase", "--include=python3", SUITE, str(folder), mirror]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    subprocess.run(["tar", "-cf", f"{archive}.new", "-C", str(folder), "."], check=True)
    Path(f"{archive}.new").replace(archive)
    shutil.rmtree(folder)
    return archive


def lend_network(root: Path) -> None:
    """Name servers, certificates, and the ways to apt's and pip's archives; a real machine has them from its owner."""
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.copy("/etc/hosts", root / "etc/hosts")
    # The bundle is there at once; the second folder is what a package that comes later makes the bundle anew from.
    for name in ("etc/ssl/certs", "usr/local/share/ca-certificates"):
        if Path("/", name).exists():
            shutil.copytree(Path("/", name), root / name, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    settings = subprocess.check_output(["apt-config", "dump"], text=True).splitlines()
    lent = [line for line in settings if re.match(r"Acquire::(https?::|Check-|Proxy|Retries)", line, flags=re.IGNORECASE)]
    (root / "etc/apt/apt.conf.d/99host").write_text("\n".join([*lent, ""]))
    for source, target in (("/etc/pip.conf", "etc/pip.conf"), (str(Path.home() / ".config/pip/pip.conf"), "root/.config/pip/pip.conf")):
        if Path(source).exists():
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / target)
