"""Whether what a lock installs is known to be vulnerable: exits 1 then, and where it could not ask says so aloud."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

SERVICES: Final = ("pypi", "osv")
"""Asked in this order, the next one only while the one before answers for nothing."""
AWAY: Final = ("ConnectionError", "ConnectionRefused", "Timeout", "timed out", "NameResolution", "ServiceError")
"""What pip-audit's last words hold where its service is out of reach; anything else it dies of is a fault of ours."""
SECONDS: Final = 300


def verdict(answers: list[tuple[str, Any]]) -> tuple[int, str]:
    """Exit code and words for what each service answered: its document, or the last words of a tool that gave none.

    Red where a vulnerability was found, or the tool failed for another reason than that nobody could be asked.
    """
    found = [line for _, answer in answers if isinstance(answer, dict) for line in _vulnerable(answer)]
    if found:
        return 1, "VULNERABLE:\n" + "\n".join(found)
    broken = [told for _, told in answers if isinstance(told, str) and not any(word in told for word in AWAY)]
    if broken:
        return 1, f"NOT AUDITED, the audit itself failed: {broken[0]}"
    audited, skipped = max((_counts(answer) for _, answer in answers if isinstance(answer, dict)), default=(0, 0))
    if audited and not skipped:
        return 0, f"Audited: {audited} packages, no known vulnerability."
    asked = ", ".join(name for name, _ in answers)
    known = f"{audited} have no known vulnerability"
    if audited:
        return 0, f"NOT AUDITED IN PART: {skipped} packages are unknown to {asked}; {known}."
    return 0, f"NOT AUDITED: no vulnerability service could be asked ({asked}). Try `make audit` elsewhere."


def _vulnerable(document: dict[str, Any]) -> list[str]:
    return [
        f"  {each['name']} {each['version']}: {flaw['id']}; fixed in {', '.join(flaw['fix_versions']) or 'no version'}"
        for each in document["dependencies"]
        for flaw in each.get("vulns", ())
    ]


def _counts(document: dict[str, Any]) -> tuple[int, int]:
    skipped = sum("skip_reason" in each for each in document["dependencies"])
    return len(document["dependencies"]) - skipped, skipped


def ask(lock: Path, service: str, *options: str) -> Any:
    """What pip-audit says of a lock: its document, or its last words."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    command += ["--format", "json", "--vulnerability-service", service, "--requirement", str(lock), *options]
    try:
        ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"timed out after {SECONDS} seconds"
    try:
        return json.loads(ended.stdout)
    except ValueError:
        return (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode} and not a word"])[-1]


def main(lock: Path, *options: str) -> int:
    """Ask until somebody answers, under these options of pip-audit; the exit code."""
    answers: list[tuple[str, Any]] = []
    for service in SERVICES:
        answers.append((service, ask(lock, service, *options)))
        told = answers[-1][1]
        if isinstance(told, dict) and _counts(told)[0]:
            break
    code, words = verdict(answers)
    line = "=" * 72
    sys.stderr.write(f"{line}\n{lock}: {words}\n{line}\n" if "NOT" in words or code else f"{lock}: {words}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
