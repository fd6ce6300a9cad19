"""Start Tagloom from a checkout, on a machine where nothing was set up.

    python3 run.py demo             the demo plant and the window (without a display: the same journey headless)
    python3 run.py ARGS...          the same as: tagloom ARGS...
    python3 run.py test [ARGS...]   lint, types, import layers, then pytest ARGS...
    python3 run.py prove [PART...]  the long proofs; --list names the parts, --allow-skip NAME lets one be skipped
    python3 run.py bench [NAME...]  the benchmarks; --list names them
    python3 run.py lock             make requirements.txt again from pyproject.toml

Set-up happens by itself and only when something changed: a Python from 3.11 to 3.15 is looked for, a virtual
environment made in .venv and filled from requirements.txt; on Debian and Ubuntu the missing system packages are
installed (as root) or named. All that it says goes to stderr. Variables:

    TAGLOOM_VENV    where the virtual environment shall be instead
    TAGLOOM_WHEELS  a folder of wheels: packages come from there and no network is used (PIP_* work as usual too)

This file keeps to syntax that every Python reads, so that an old one can say what is missing. It needs no package.
"""

import sys

if sys.version_info < (3, 4):
    sys.exit("Tagloom needs Python 3.11 or newer; this is Python %d.%d. Start it with: python3 run.py" % sys.version_info[:2])

import hashlib
import json
import os

CHECKOUT = os.path.dirname(os.path.abspath(__file__))
WINDOWS = os.name == "nt"
OLDEST, NEWEST = (3, 11), (3, 15)  # what requirements.txt was resolved for
DEVELOPER_COMMANDS = ("test", "prove", "bench", "lock")  # in tests/__main__.py; only these need the test section
WINDOW_COMMANDS = ("demo", "open", "plot")  # and none at all: without Qt's system libraries these cannot work
STAMP, LOCK = "tagloom-setup.json", "tagloom-setup.lock"
OURS = (STAMP, STAMP + ".new", LOCK)
MAKING, READY = "making", "ready"

# Debian's names. Qt's offscreen platform needs the first list, a real X11 window the second too (libraries by soname).
LIBRARIES = (
    ("libEGL.so.1", "libegl1"),
    ("libGL.so.1", "libgl1"),
    ("libglib-2.0.so.0", "libglib2.0-0"),
    ("libfontconfig.so.1", "libfontconfig1"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
)
X11_LIBRARIES = (
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("libxcb-cursor.so.0", "libxcb-cursor0"),
    ("libxcb-icccm.so.4", "libxcb-icccm4"),
    ("libxcb-util.so.1", "libxcb-util1"),
    ("libxcb-image.so.0", "libxcb-image0"),
    ("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    ("libxcb-render-util.so.0", "libxcb-render-util0"),
    ("libxcb-shape.so.0", "libxcb-shape0"),
    ("libxcb-xkb.so.1", "libxcb-xkb1"),
)
FONT_PACKAGE = "fonts-dejavu-core"
TEST_PROGRAMS = (("git", "git"),)  # tests merge project files with plain git


class SetUpError(Exception):
    """What is missing and what to do about it, in words for the person at the terminal."""


def say(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


# --- the lock and the stamp: is there anything to do at all?


def read_sections(text):
    """Split requirements.txt at its "# --- NAME" lines into {name: lines}; both must be there."""
    sections = {}
    name = None
    for line in text.splitlines(True):
        if line.startswith("# --- "):
            name = line[6:].split(":")[0].strip()
            sections[name] = ""
        elif name:
            sections[name] += line
    if "run" not in sections or "test" not in sections:
        raise SetUpError('requirements.txt lacks the line "# --- run" or "# --- test"; restore it from git.')
    return sections


def lock_sections():
    with open(os.path.join(CHECKOUT, "requirements.txt"), "rb") as lock:
        return read_sections(lock.read().decode("utf-8").replace("\r\n", "\n"))


def digests(sections):
    return {name: hashlib.sha256(text.encode("utf-8")).hexdigest() for name, text in sections.items()}


def is_ours(folder):
    """Whether this file made the folder (or began to), so that it may be cleared."""
    # In this order: whatever another run has put beside the stamp by now, the stamp was there before.
    foreign = [name for name in os.listdir(folder) if name not in OURS] if os.path.isdir(folder) else []
    return not foreign or os.path.exists(os.path.join(folder, STAMP))


def environment_folders():
    """Where the environment may stand, the best place first."""
    chosen = os.environ.get("TAGLOOM_VENV")
    if chosen:
        return [os.path.abspath(chosen)]
    # The second where someone made a .venv of his own, which is left alone; the third where the checkout is read-only.
    places = [os.path.join(CHECKOUT, ".venv"), os.path.join(CHECKOUT, ".venv-tagloom")]
    key = hashlib.sha256(CHECKOUT.encode("utf-8")).hexdigest()[:16]
    return [place for place in places if is_ours(place)][:1] + [os.path.join(cache_folder(), "tagloom", "environment-" + key)]


def may_write(folder):
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return os.access(folder, os.W_OK)


def cache_folder():
    home = os.path.expanduser("~")
    if WINDOWS:
        return os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches")
    return os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")


def environment_python(folder):
    return os.path.join(folder, "Scripts", "python.exe") if WINDOWS else os.path.join(folder, "bin", "python")


def read_stamp(folder):
    try:
        with open(os.path.join(folder, STAMP)) as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(folder, stamp):
    path = os.path.join(folder, STAMP)
    with open(path + ".new", "w") as file:
        json.dump(stamp, file, indent=1, sort_keys=True)
    os.replace(path + ".new", path)


def installed(stamp, wanted, folder):
    """Which of the sections in `wanted` ({name: digest}) stand complete in the environment; None: it must be made anew."""
    python = environment_python(folder)
    if stamp.get("state") != READY or stamp.get("base") != os.path.realpath(python) or not os.path.exists(python):
        return None  # never made, half-made, or its Python is gone or was replaced by another
    done = stamp.get("sections", {})
    if any(done[name] != wanted.get(name) for name in done):
        return None  # made from another lock: what it no longer names would stay behind
    try:
        present = set(os.listdir(os.path.join(folder, stamp["packages"])))
    except (KeyError, OSError):
        return None
    return set(done) if present.issuperset(stamp.get("distributions", ())) else None


# --- a Python


PROBE = """
import struct, sys, sysconfig
try:
    import ensurepip, venv
    able = 1
except ImportError:
    able = 0
gil = 0 if sysconfig.get_config_var("Py_GIL_DISABLED") else 1
print(sys.version_info[0], sys.version_info[1], able, struct.calcsize("P") == 8 and gil and 1 or 0)
"""


def probe(command):
    """(version, makes environments, has wheels) of a Python command, or None when it does not run."""
    import subprocess

    try:
        answer = subprocess.check_output(command + ["-c", PROBE], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        major, minor, able, usual = (int(word) for word in answer.split())
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    return (major, minor), bool(able), bool(usual)


def python_commands():
    """Where a suitable Python may be, the nearest first."""
    import glob
    import shutil

    versions = ["%d.%d" % (OLDEST[0], minor) for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    versions.append(versions.pop(0))  # the newest last: it may lack wheels for some platform still
    yield [sys.executable]
    for version in versions:
        found = shutil.which("python" + version)
        if found:
            yield [found]
        if WINDOWS and shutil.which("py"):
            yield ["py", "-" + version]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.join(os.path.expanduser("~"), ".pyenv")
    for version in versions:
        for found in sorted(glob.glob(os.path.join(pyenv, "versions", version + ".*", "bin", "python"))):
            yield [found]


def find_python():
    """A command of a suitable Python that can make environments; on Debian that may need a package first."""
    unable = None
    for command in python_commands():
        answer = probe(command)
        if answer is None or not OLDEST <= answer[0] <= NEWEST or not answer[2]:
            continue
        if answer[1]:
            return command
        unable = unable or (command, answer[0])
    if unable and is_debian():
        install_packages(["python%d.%d-venv" % unable[1]], "Python cannot make virtual environments yet.")
        return unable[0]
    where, source = "on PATH or in pyenv", "your distribution (python3.13 and python3.13-venv, or 3.12, 3.11) or pyenv"
    if WINDOWS or sys.platform == "darwin":
        where, source = "on PATH", "python.org"
    raise SetUpError(
        "Tagloom needs a 64-bit Python from %d.%d to %d.%d that can make virtual environments. " % (OLDEST + NEWEST)
        + "This is %d.%d, and none was found %s.\n" % (sys.version_info[:2] + (where,))
        + "Install Python 3.13 from %s, then run this again." % source
    )


# --- system packages of Debian and Ubuntu


def is_debian():
    return sys.platform.startswith("linux") and os.path.exists("/etc/debian_version")


def missing_libraries(known, x11):
    """Packages whose library `known` (what `ldconfig -p` prints) does not list."""
    listed = {line.split(None, 1)[0] for line in known.splitlines() if " => " in line}
    return [package for soname, package in LIBRARIES + (X11_LIBRARIES if x11 else ()) if soname not in listed]


def has_font():
    home = os.path.expanduser("~")
    for top in ("/usr/share/fonts", "/usr/local/share/fonts", home + "/.fonts", home + "/.local/share/fonts"):
        for _folder, _folders, names in os.walk(top):
            if any(name.lower().endswith((".ttf", ".otf", ".ttc")) for name in names):
                return True
    return False


def missing_packages(x11, programs):
    import shutil
    import subprocess

    ldconfig = next((path for path in ("/sbin/ldconfig", "/usr/sbin/ldconfig") if os.path.exists(path)), None)
    missing = []
    if ldconfig:
        missing = missing_libraries(subprocess.check_output([ldconfig, "-p"]).decode("utf-8", "replace"), x11)
    if not has_font():
        missing.append(FONT_PACKAGE)
    return missing + [package for program, package in programs if not shutil.which(program)]


def install_packages(packages, why):
    """Install Debian packages as root; otherwise, or when apt-get fails, raise with the one line that does it."""
    import subprocess

    if "libglib2.0-0" in packages and apt_knows("libglib2.0-0t64"):
        packages = [package + "t64" if package == "libglib2.0-0" else package for package in packages]
    line = "apt-get install --yes --no-install-recommends " + " ".join(packages)
    if os.geteuid() != 0:
        raise SetUpError("%s Run this once, then start again:\n\n    sudo %s\n" % (why, line))
    say("%s Installing %s ..." % (why, " ".join(packages)))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (["apt-get", "update"], line.split()):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command + ["-qq"], env=environment, **options)
        output = process.communicate()[0].decode("utf-8", "replace")
        if process.returncode:  # an update fails for any one source out of reach, the installation may work all the same
            say(output)
        if process.returncode and command[1] != "update":
            raise SetUpError("%s apt-get failed, see above. Install by hand:\n\n    %s\n" % (why, line))


def apt_knows(package):
    import subprocess

    with open(os.devnull, "w") as nowhere:
        return subprocess.call(["apt-cache", "show", package], stdout=nowhere, stderr=nowhere) == 0


def system_needs(command):
    """What the command needs of the system, by name; remembered in the stamp once it was found present."""
    if not is_debian():
        return set()
    x11 = ["x11"] if os.environ.get("DISPLAY") else []
    return set(["qt"] + x11 + (["programs"] if command in DEVELOPER_COMMANDS else []))


def see_to_system_packages(command, present):
    """Install or name what is missing. Returns what is present now."""
    needs = system_needs(command)
    if needs <= present:
        return present
    missing = missing_packages("x11" in needs, TEST_PROGRAMS if "programs" in needs else ())
    if missing:
        try:
            install_packages(missing, "Qt's system libraries, a font or a program that the tests use are missing.")
        except SetUpError as problem:
            if command is None or command in WINDOW_COMMANDS + DEVELOPER_COMMANDS:
                raise
            say("%s\n(Going on: `%s` opens no window.)" % (problem, command))
            return present
    return present | needs


# --- the environment


def call(command):
    import subprocess

    code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=2, env=dict(os.environ, PIP_USER="0"))
    if code:
        raise SetUpError("This failed (exit %d, see above):\n\n    %s\n" % (code, " ".join(command)))


def clear(folder):
    """Empty the folder but for the stamp, which keeps saying that it is ours, and the lock file, which is held."""
    import shutil

    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name not in OURS:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.remove(path)


def install(folder, name, text):
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--disable-pip-version-check", "--no-input", "-q"]
    wheels = os.environ.get("TAGLOOM_WHEELS")
    if wheels:
        options += ["--no-index", "--find-links", os.path.abspath(wheels)]
    path = os.path.join(folder, "requirements-%s.txt" % name)
    with open(path, "w") as file:
        file.write(text)
    call([environment_python(folder), "-I", "-m", "pip", "install"] + options + ["-r", path])


def set_up(folder, command, sections, wanted):
    """Make or complete the environment. Whoever holds the lock file is the only one to do so."""
    with Lock(folder):
        stamp = read_stamp(folder)  # another run may have done it while this one waited
        done = installed(stamp, wanted, folder)
        system = set(stamp.get("system", ()))
        if done is None:
            write_stamp(folder, {"state": MAKING})
            python = find_python()
            say("Making the virtual environment %s (once, about a minute) ..." % folder)
            clear(folder)
            call(python + ["-m", "venv", folder])
            done = set()
        system = see_to_system_packages(command, system)
        missing = [name for name in needed_sections(command) if name not in done]
        if missing:
            write_stamp(folder, {"state": MAKING})
        for name in missing:
            say("Installing packages (%s) ..." % name)
            install(folder, name, sections[name])
        write_ready_stamp(folder, {name: wanted[name] for name in done | set(missing)}, system)


def write_ready_stamp(folder, sections, system):
    import subprocess

    python = environment_python(folder)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-I", "-c", ask]).decode(sys.getfilesystemencoding()).strip()
    # A .pth file rather than PYTHONPATH: child processes find the checkout, and foreign Pythons are not touched.
    with open(os.path.join(packages, "tagloom-checkout.pth"), "wb") as file:
        file.write(CHECKOUT.encode("utf-8"))
    stamp = {
        "state": READY,
        "base": os.path.realpath(python),
        "checkout": CHECKOUT,
        "distributions": sorted(name for name in os.listdir(packages) if name.endswith(".dist-info")),
        "packages": os.path.relpath(packages, folder),
        "sections": sections,
        "system": sorted(system),
    }
    write_stamp(folder, stamp)


class Lock:
    """Holds FOLDER/tagloom-setup.lock; the operating system lets go of it even when this process is killed."""

    def __init__(self, folder):
        if not os.path.isdir(folder):
            os.makedirs(folder)
        self.file = open(os.path.join(folder, LOCK), "a")

    def __enter__(self):
        if not self.take(False):
            say("Another run is setting up; waiting for it ...")
            while not self.take(True):
                pass
        return self

    def take(self, wait):
        try:
            if WINDOWS:
                import msvcrt

                self.file.seek(0)  # LK_LOCK gives up after ten tries, one a second
                msvcrt.locking(self.file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self.file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            return False
        return True

    def __exit__(self, *_problem):
        self.file.close()


def needed_sections(command):
    return ["run", "test"] if command in DEVELOPER_COMMANDS else ["run"]


def is_ready(folder, command, wanted):
    stamp = read_stamp(folder)
    done = installed(stamp, wanted, folder)
    if done is None or stamp["checkout"] != CHECKOUT or not done.issuperset(needed_sections(command)):
        return False
    return system_needs(command) <= set(stamp["system"])


def run(command):
    """Become the command (POSIX), or wait for it (Windows); its exit code is ours."""
    # The user's folder may hold an `app` of its own: it must not come before ours, here and in child processes.
    environment = dict(os.environ, PYTHONSAFEPATH="1")
    if not WINDOWS:
        os.execve(command[0], command, environment)
    import subprocess

    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the console sent it to the child as well, which ends in its own way
            continue


def main(arguments):
    command = arguments[0] if arguments else None
    sections = lock_sections()
    wanted = digests(sections)
    folders = environment_folders()
    folder = next((place for place in folders if is_ready(place, command, wanted)), None)
    if folder is None:
        folder = next((place for place in folders if may_write(place)), folders[-1])
        set_up(folder, command, sections, wanted)
    module = "tests" if command in DEVELOPER_COMMANDS else "app.commands"
    return run([environment_python(folder), "-m", module] + arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetUpError as problem:
        say(str(problem))
        sys.exit(2)
    except KeyboardInterrupt:
        say("Interrupted. Run it again to go on.")
        sys.exit(130)
