#!/usr/bin/env bash
# Of four recurrence rules that Prefect takes without a word, two never make a run and two run at another hour.
#
# A schedule by RRULE is checked when it is created and then worked out by the server. What the rule itself says of
# its zone is dropped: the Z of DTSTART:...T020000Z and its TZID are taken off, and the hour counts in the
# schedule's own timezone. A rule without DTSTART begins on 1 January 2020, not today, so that COUNT=5 was used up
# years ago. UNTIL in UTC, the form that RFC 5545 asks for, is accepted and then fails in the server's loop, for it
# "must be specified in UTC"; only the server's log has that. All of the schedules are told as active.
#
# Seen with prefect 3.9.1, SQLAlchemy 2.1.9, a real server on SQLite; the first run that was made, in UTC (Tokyo is
# 9 hours ahead):
#     */5 * * * * (cron, to compare)                           made
#     DTSTART:...T020000Z daily, timezone Asia/Tokyo           17:00, which is 02:00 in Tokyo
#     DTSTART;TZID=Asia/Tokyo:...T020000 daily, timezone UTC   02:00, which is 11:00 in Tokyo
#     FREQ=HOURLY;COUNT=5                                      none
#     FREQ=HOURLY;UNTIL=20991201T000000Z                       none; an error in the server's log
#
# Needs python3 with venv; nothing is installed on the system.
set -euo pipefail
work=$(mktemp -d)
trap '[ -z "${server:-}" ] || { kill "$server" && wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check prefect==3.9.1 sqlalchemy==2.1.9

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PREFECT_HOME="$work/home" PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1
export PREFECT_API_URL="http://127.0.0.1:$port/api"
"$work/venv/bin/prefect" server start --host 127.0.0.1 --port "$port" >"$work/server.log" 2>&1 &
server=$!

"$work/venv/bin/python" - "$work/server.log" <<'END'
import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule, RRuleSchedule

# soon, for the server makes runs a hundred days ahead
day = datetime.now(UTC) + timedelta(days=3)
start = f"{day:%Y%m%d}T020000"
SCHEDULES = {
    "cron": CronSchedule(cron="*/5 * * * *"),
    "z": RRuleSchedule(rrule=f"DTSTART:{start}Z\nRRULE:FREQ=DAILY", timezone="Asia/Tokyo"),
    "tzid": RRuleSchedule(rrule=f"DTSTART;TZID=Asia/Tokyo:{start}\nRRULE:FREQ=DAILY", timezone="UTC"),
    "count": RRuleSchedule(rrule="FREQ=HOURLY;COUNT=5", timezone="UTC"),
    "until": RRuleSchedule(rrule="FREQ=HOURLY;UNTIL=20991201T000000Z", timezone="UTC"),
}


@flow
def nightly():
    pass


async def made():
    """The first run that the server makes of each schedule, in UTC."""
    async with get_client() as client:
        for _ in range(120):
            try:
                await client.api_healthcheck()
                await client.hello()
                break
            except httpx.HTTPError:
                await asyncio.sleep(1)
        work = await client.create_flow(nightly)
        names = {}
        for name, schedule in SCHEDULES.items():
            schedules = [DeploymentScheduleCreate(schedule=schedule, active=True)]
            deployment = await client.create_deployment(work, name=name, schedules=schedules)
            names[deployment] = name
            assert [told.active for told in (await client.read_deployment(deployment)).schedules] == [True]
        for _ in range(150):  # the server's loop takes a turn a minute
            await asyncio.sleep(1)
            if "RRULE UNTIL values must be specified in UTC" in Path(sys.argv[1]).read_text():
                break
        else:
            raise AssertionError("UNTIL was worked out")
        await asyncio.sleep(5)
        first = {}
        for run in await client.read_flow_runs(limit=200):
            name, at = names[run.deployment_id], run.expected_start_time.astimezone(UTC)
            first[name] = min(at, first.get(name, at))
        return first


first = asyncio.run(made())
for name in SCHEDULES:
    print(f"{name:6} {first.get(name)}")
assert set(first) == {"cron", "z", "tzid"}
assert first["z"].hour == 17 and first["tzid"].hour == 2
END
echo "as described"
