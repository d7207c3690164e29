// A SCIM service of scimmy behind Express: `node serve_scimmy.mjs PORT USERS TOKEN`, served at /scim.
// Every fifth user cannot log in; group outer holds group inner, the first user and one who is gone.
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const [port, count, token] = process.argv.slice(2);
const users = Array.from({ length: Number(count) }, (_, n) => ({
  id: `id${n + 1}`,
  userName: `clerk${n + 1}`,
  active: (n + 1) % 5 !== 0,
  name: { givenName: `Given${n + 1}`, familyName: `Family${n + 1}` },
  emails: [{ value: `clerk${n + 1}@example.com`, type: "work", primary: true }],
}));
const groups = [
  { id: "outer", displayName: "Outer", members: [{ value: "inner" }, { value: "id1" }, { value: "gone" }] },
  { id: "inner", displayName: "Inner", members: [{ value: "id2" }] },
];
const declare = (kind, rows) =>
  SCIMMY.Resources.declare(kind, {
    egress: (resource) => (resource.id ? rows.find((row) => row.id === resource.id) : [...rows]),
    ingress: (_resource, data) => {
      const kept = { id: `id${rows.length + 1}`, ...JSON.parse(JSON.stringify(data)) };
      rows.push(kept);
      return kept;
    },
    degress: () => {},
  });
declare(SCIMMY.Resources.User, users);
declare(SCIMMY.Resources.Group, groups);

const app = express();
const handler = (request) => {
  if (request.header("authorization") !== `Bearer ${token}`) throw new Error("no such token");
  return "reader";
};
app.use("/scim", new SCIMMYRouters({ type: "bearer", handler }));
app.listen(Number(port), "127.0.0.1");
