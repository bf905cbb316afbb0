"""Make .venv in the project root from lib/requirements.lock: with uv if it is there, else with venv and pip.

python lib/make_environment.py [--python COMMAND]    make it, or do nothing if it is up to date
python lib/make_environment.py --lock                write the lock anew from pyproject.toml (needs uv)
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Python 3.11 or newer is needed; this is %d.%d. Run this file with python3.11, 3.12 or 3.13."
        % sys.version_info[:2]
    )

import argparse
import hashlib
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

LIB = Path(__file__).resolve().parent
ROOT = LIB.parent
LOCK = LIB / "requirements.lock"
PYPROJECT = LIB / "pyproject.toml"
VENV = ROOT / ".venv"
STAMP = VENV / "eldercare.stamp"
VENV_PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
LOCK_RECIPE = [
    "pip",
    "compile",
    "--universal",
    "--fork-strategy",
    "fewest",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
    "--all-extras",
    "--no-strip-extras",  # an older pip takes coverage[toml] for another package than coverage
]


def answer(*command):
    """What a command prints, or None if it cannot run (a pyenv shim may be found and still fail)."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def run(*command, **options):
    """Run a command; stop with one line if it fails. What it says on stderr is passed on."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if subprocess.run(
        [str(word) for word in command], stdout=subprocess.DEVNULL, **options
    ).returncode:
        sys.exit(
            f"Failed: {' '.join(str(word) for word in command[:4])} ... "
            "Mend what is said above and run this again."
        )


def version_of(python):
    """'3.12' for a working Python, else None."""
    return answer(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")


def stamp_for(version):
    """Hash of all that decides what is in .venv, and of its place (a venv cannot be moved)."""
    text = "\n".join([str(ROOT), version, LOCK.read_text("utf-8"), PYPROJECT.read_text("utf-8")])
    return hashlib.sha256(text.encode()).hexdigest()


def up_to_date(wanted_version):
    """True if .venv was finished, still runs, and was made from this lock (and this Python, if one is asked for)."""
    if not STAMP.exists():
        return False
    version = version_of(VENV_PYTHON)
    return (
        version is not None
        and wanted_version in (None, version)
        and STAMP.read_text() == stamp_for(version)
    )


def find_uv():
    uv = shutil.which("uv")
    return uv if uv and answer(uv, "--version") else None


def make(python, version, uv):
    """Build .venv from nothing; the stamp comes last, so that a half-made .venv is never taken for a whole one."""
    if not uv and answer(python, "-c", "import ensurepip") is None:
        sys.exit(
            f"{python} has no ensurepip: install python3-venv (Debian, Ubuntu: sudo apt install "
            f"python{version}-venv), or install uv, and run this again."
        )
    if VENV.exists():
        shutil.rmtree(VENV)
    if uv:
        run(uv, "venv", "--quiet", "--no-project", "--python", python, VENV)
        install = [uv, "pip", "install", "--quiet", "--python", VENV_PYTHON]
        compiled = [
            "--compile-bytecode"
        ]  # else every kernel starts seconds later; pip does it unasked
    else:
        run(python, "-m", "venv", VENV)
        install = [
            VENV_PYTHON,
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
        ]  # errors only
        compiled = []
    run(*install, *compiled, "--require-hashes", "-r", LOCK)
    run(*install, "--no-deps", "--no-build-isolation", "-e", LIB)
    STAMP.write_text(stamp_for(version))


def write_lock(uv):
    """Resolve pyproject.toml, all extras and the build backend into one hashed lock for every platform."""
    if not uv:
        sys.exit("Writing the lock needs uv.")
    backend = "\n".join(tomllib.loads(PYPROJECT.read_text("utf-8"))["build-system"]["requires"])
    run(
        uv,
        *LOCK_RECIPE,
        "--quiet",
        PYPROJECT,
        "-",
        "-o",
        LOCK,
        input=backend,
        text=True,
        stdin=None,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python",
        help="the Python to build on (a command or a path); default: the one running this",
    )
    parser.add_argument("--lock", action="store_true", help="write requirements.lock anew instead")
    options = parser.parse_args()
    if options.lock:
        return write_lock(find_uv())
    # _base_executable: run by .venv's own Python, build on the Python under it.
    python = options.python or getattr(sys, "_base_executable", None) or sys.executable
    version = version_of(python)
    if version is None or tuple(map(int, version.split("."))) < (3, 11):
        sys.exit(
            f"{python} is not a working Python 3.11 or newer"
            + (f": it is {version}." if version else ".")
        )
    if up_to_date(version if options.python else None):
        return None
    uv = find_uv()
    start = time.monotonic()
    print(f"Making .venv with {'uv' if uv else 'pip'} and Python {version} ...", flush=True)
    make(python, version, uv)
    print(f"Done in {time.monotonic() - start:.0f} s.")
    return None


if __name__ == "__main__":
    main()
