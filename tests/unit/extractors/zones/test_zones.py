"""Zones are opened, and their libraries loaded, only where an export lies in one."""

import subprocess
import sys


def test_a_local_export_loads_no_library_of_another_zone() -> None:
    code = (
        "import sys, extractors.read, extractors.exports.archiving\n"
        "print(sorted({'obstore', 'asyncssh', 'httpx'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
