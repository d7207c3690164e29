#!/bin/sh
# Lints what is in this folder, with tools of its own environment: hadolint, kubernetes-validate, and systemd-analyze (Debian's
# package systemd). Nothing of it is run.
set -eu
cd "$(dirname "$0")"
python="$1"
lint="../.venv-lint"
[ -x "$lint/bin/hadolint" ] || {
	"$python" -m venv "$lint"
	"$lint/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement lint.lock
}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

"$lint/bin/hadolint" Containerfile
echo "Containerfile: nothing wrong"

# The pool's job with what its variables are by default: Prefect fills in the rest.
"$lint/bin/python" - >"$made/job.yaml" <<'END'
import json, re
pool = json.load(open("kubernetes/work-pool.json"))
given = {"name": "a-run", **{k: v.get("default") for k, v in pool["variables"]["properties"].items()}}
def filled(part):
    if isinstance(part, dict):
        return {k: v for k, one in part.items() if (v := filled(one)) is not None}
    if isinstance(part, list):
        return [filled(one) for one in part]
    whole = re.fullmatch(r"{{ (\w+) }}", part) if isinstance(part, str) else None
    return given.get(whole[1]) if whole else part
job = filled(pool["job_configuration"]["job_manifest"])
job["metadata"].setdefault("name", "a-run")  # which the validator asks for, and the cluster makes
print(json.dumps(job))
END
for manifest in kubernetes/serve.yaml "$made/job.yaml"; do
	"$lint/bin/kubernetes-validate" --strict -k 1.34 "$manifest"
done

command -v systemd-analyze >/dev/null || { echo "systemd units: not linted, systemd-analyze is not here"; exit 0; }
# A unit is linted with programs that are there: the program need not be installed where the units say.
for unit in systemd/*; do
	sed 's#=/opt/lumos-ingest/.venv/bin/[a-z-]*#=/bin/true#' "$unit" >"$made/$(basename "$unit")"
done
systemd-analyze verify --man=no "$made"/*.service "$made"/*.timer
echo "systemd units: nothing wrong"
