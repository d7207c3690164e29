#!/usr/bin/env bash
# On Express 5, scimmy-routers takes no notice of a query: every page of a list is its first, with status 200.
#
# scimmy-routers hands a request's query on by assigning to request.query. In Express 5 that is a getter without a
# setter, so that the assignment is lost without an error: startIndex, count, filter and attributes have no effect. The
# answer is a good ListResponse all the same: the right totalResults, startIndex 1, as many resources as a page has by
# default. Who steps by startIndex until totalResults are there reads the same people again and again, as many as there
# should be. On Express 4 the same service answers what it is asked.
#
# Seen with scimmy 1.3.5, scimmy-routers 1.3.2 (its peer dependency allows both), Node 20 and 24; 45 people, asked for
# two from the 21st on:
#     express 4.22.3  startIndex 21, person21 person22
#     express 5.3.0   startIndex 1, person1 person2 … person20
#
# Needs node, npm and curl.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server" || true; }; rm -rf "$work"' EXIT

cat >"$work/serve.mjs" <<'MJS'
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";
const people = Array.from({length: 45}, (_, n) => ({id: `p${n + 1}`, userName: `person${n + 1}`}));
SCIMMY.Resources.declare(SCIMMY.Resources.User, {egress: () => [...people], ingress: (_, data) => data, degress: () => {}});
const app = express();
app.use("/scim", new SCIMMYRouters({type: "bearer", handler: () => "anybody"}));
const listening = app.listen(0, "127.0.0.1", () => console.log(listening.address().port));
MJS

page() { # the first and the last userName, and the label, of two people asked for from the 21st on
	mkdir "$work/$1" && cp "$work/serve.mjs" "$work/$1"
	(cd "$work/$1" && npm install --silent --no-audit --no-fund "express@$1" scimmy@1.3.5 scimmy-routers@1.3.2 >/dev/null)
	node "$work/$1/serve.mjs" >"$work/port" &
	server=$!
	until [ -s "$work/port" ]; do sleep 0.1; done
	curl -s "http://127.0.0.1:$(cat "$work/port")/scim/Users?startIndex=21&count=2" -H 'Authorization: Bearer any' >"$work/page"
	kill "$server" && wait "$server" || true
	server=
	rm "$work/port"
	node -e '
		const page = JSON.parse(require("fs").readFileSync(process.argv[1]));
		const names = page.Resources.map((one) => one.userName);
		console.log(page.totalResults, page.startIndex, names.length, names[0]);' "$work/page"
}

old=$(page 4.22.3)
new=$(page 5.3.0)
printf 'express 4: %s\nexpress 5: %s\n' "$old" "$new"
[ "$old" = "45 21 2 person21" ]
[ "$new" = "45 1 20 person1" ]
