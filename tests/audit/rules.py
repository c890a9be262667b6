"""`make audit`: semgrep with our own rules over the source, after every rule has found a sentence that breaks it."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "build" / "audit" / "bin"
RULES = Path(__file__).parent / "rules.yaml"
SOURCES = ("microsite", "wsgi.py", "static/site.js", "static/form.js", "static/desk")
BROKEN = {
    "log-line-is-filled-in": 'log.error(f"booked by {name}")',
    "subject-is-filled-in": 'message["Subject"] = f"for {name}"',
    "plain-value-in-a-text": "print(details.reveal().name)",
    "template-made-at-run-time": "import flask\nflask.render_template_string(text)",
    "statement-is-filled-in": "conn.execute(f\"SELECT '{name}'\")",
    "redirect-to-what-was-asked": 'import flask\nflask.redirect(flask.request.args["next"])',
    "shell": "import os\nos.system(text)",
    "unpickled": "import pickle\npickle.loads(data)",
    "certificate-not-checked": "session.get(url, verify=False)",
    "secret-from-a-weak-source": "import random\nrandom.choice(letters)",
    "text-becomes-html": "row.innerHTML = name;",
    "kept-in-the-browser": "localStorage.name = name;",
}


def findings(*paths: str) -> list[tuple[str, str, int]]:
    """(rule, file, line) of everything that breaks a rule."""
    command = [TOOL / "semgrep", "scan", "--metrics=off", "--disable-version-check", "--no-git-ignore", "--json"]
    ran = subprocess.run(
        [*command, "--config", RULES, *paths],
        cwd=ROOT,
        env={"PATH": f"{TOOL}:/usr/bin:/bin", "HOME": str(ROOT / "build"), "SEMGREP_SEND_METRICS": "off"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    if not ran.stdout:
        sys.exit(f"semgrep did not run:\n{ran.stderr}")
    report = json.loads(ran.stdout)
    if report["errors"]:
        sys.exit(f"semgrep could not read everything:\n{json.dumps(report['errors'], indent=1)[:2000]}")
    return [(each["check_id"].rpartition(".")[2], each["path"], each["start"]["line"]) for each in report["results"]]


def blind() -> set[str]:
    """The rules that do not find what breaks them."""
    with TemporaryDirectory() as folder:
        for rule, code in BROKEN.items():
            ending = "js" if code.endswith(";") else "py"
            (Path(folder) / f"{rule}.{ending}").write_text(f"{code}\n")
        found = {(rule, Path(path).stem) for rule, path, _ in findings(folder)}
    return {rule for rule in BROKEN if (rule, rule) not in found}


def main() -> None:
    """Exit code 1 for a rule that is blind, or for anything in our source that breaks one."""
    if unseeing := blind():
        sys.exit(f"these rules do not find what breaks them: {', '.join(sorted(unseeing))}")
    broken = findings(*SOURCES)
    for rule, path, line in broken:
        print(f"{path}:{line}: {rule}")
    print(f"{len(BROKEN)} rules, {len(broken)} findings")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
