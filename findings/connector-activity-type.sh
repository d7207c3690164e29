#!/usr/bin/env bash
# Lumos's connector SDK writes activity records as its specification does not have them, and refuses those that are.
#
# ActivityRecord.activity_type is a model around "one of the known words, or any text". pydantic's model_dump_json,
# which the SDK sends answers with, writes that model's own fields: two validators that are null, the text as
# actual_instance, and the names of the types that it may have, in an order that differs from run to run. The
# specification has a text there. model_validate reads what was written, and refuses the text; from_dict reads the text.
# Who reads records off the wire has to take both forms.
#
# Seen with connector-sdk-types 0.79.0, pydantic 2.14.4, Python 3.11:
#     written       {"anyof_schema_1_validator":null,…,"actual_instance":"ACCOUNT_LOGIN","any_of_schemas":[…]}
#     a plain text  model_type
#
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check connector-sdk-types==0.79.0 pydantic==2.14.4 httpx==0.28.1
"$work/venv/bin/python" - <<'PY'
import json

from connector_sdk_types.generated import ActivityRecord, ActivityRecordActivityType, ActivityRecordActor
from pydantic import ValidationError

record = ActivityRecord(
    id="r1", activity_type=ActivityRecordActivityType("ACCOUNT_LOGIN"), timestamp="2026-11-01T00:00:00Z",
    actor=ActivityRecordActor(account_id="a1"), targets=[],
)
written = json.loads(record.model_dump_json())
print("written:", written["activity_type"])
assert written["activity_type"]["actual_instance"] == "ACCOUNT_LOGIN"

plain = {**written, "activity_type": "ACCOUNT_LOGIN"}
try:
    ActivityRecord.model_validate(plain)
except ValidationError as error:
    print("a plain text:", error.errors()[0]["type"])
else:
    raise SystemExit("model_validate takes a plain text now")
assert ActivityRecord.from_dict(plain).activity_type.actual_instance == "ACCOUNT_LOGIN"
back = ActivityRecord.model_validate_json(record.model_dump_json())
assert back.activity_type.actual_instance == "ACCOUNT_LOGIN"
PY
