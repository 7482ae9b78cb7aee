/**
 * Whether the service was granted what its settings make it need. Asked before anything is tried, because most lacks
 * would show only later, as a provider or a chat that never answers. Where everything is granted (Deno Deploy), nothing
 * is lacking.
 */
import { UsageError } from "../errors.ts";
import { listFlagsOf } from "./flags.ts";
import { dataDirOf, type Environment, listNeeds, type Need } from "./needs.ts";
import { followLinks } from "./surroundings.ts";

/**
 * Throws `UsageError` with one line a lack (who needs it, what it is) and one that says what to do.
 * @returns Such lines about what the service can do without.
 */
export function assertPermitted(env: Environment): string[] {
  const cwd = Deno.cwd();
  const needs = listNeeds(env, { cwd, realDataDir: followLinks(dataDirOf(env, cwd)) });
  const lacks = needs.filter((need) => !isGranted(need));
  const fatal = lacks.filter(({ without }) => without === undefined);
  if (fatal.length > 0) {
    throw new UsageError([...fatal.map(describeLack), describeWay(needs, lacks)].join("\n"));
  }
  return lacks.map((need) => `${need.without}: ${describeLack(need)}`);
}

function isGranted({ kind, value }: Need): boolean {
  const permission: Deno.PermissionDescriptor = kind === "net"
    ? (value === "*" ? { name: "net" } : { name: "net", host: value })
    : { name: kind, path: value };
  return Deno.permissions.querySync(permission).state === "granted";
}

const VERBS: Record<Need["kind"], string> = { net: "reach", read: "read", write: "write to" };

function describeLack({ because, kind, value }: Need): string {
  const comma = value.includes(",") ? "; Deno cannot grant a path with a comma in it, choose another" : "";
  const what = value === "*" ? "any host" : value;
  return `${because}: wanted the permission to ${VERBS[kind]} ${what}, got none${comma}`;
}

/** A flag takes the place of what the set allows of its kind, so it must name all needs of the kind. */
function describeWay(needs: readonly Need[], lacks: readonly Need[]): string {
  const kinds = (["net", "read", "write"] as const).filter((kind) =>
    lacks.some((lack) => lack.kind === kind)
  );
  const flags = kinds.flatMap((kind) => listFlagsOf(kind, needs)).map((flag) =>
    /\s/.test(flag) ? `"${flag}"` : flag
  );
  return `deno task start grants what the settings need; another way of starting needs ${flags.join(" ")}`;
}
