/**
 * The service: configuration, database, desk, crew and queue put together, until SIGINT or SIGTERM; the entrypoint on Deno
 * Deploy, too. No logic here.
 */
import { parseArgs } from "node:util";
import type { BotDeps } from "./bot/create_bot.ts";
import type { TelegramService } from "./bot/service.ts";
import { registerCrons } from "./jobs/crons.ts";
import type { Dispatcher } from "./jobs/queue/dispatcher.ts";
import type { Session } from "./lib/batches/types.ts";
import { listSecrets, readConfig, readEnvironment } from "./lib/config.ts";
import type { Crew } from "./lib/crew.ts";
import { openDatabase } from "./lib/database/connect.ts";
import { DEPLOY_CONNECTIONS } from "./lib/deploy.ts";
import { messageOf, UsageError, UserError } from "./lib/errors.ts";
import { createLog } from "./lib/log.ts";
import { assertPermitted } from "./lib/permissions/check.ts";
import { parseRole, type Role } from "./lib/role.ts";
import { outliveUncaught } from "./lib/uncaught.ts";

/** How long answers that are already paid for may still come in after the signal, ms. */
const GRACE_MS = 20_000;
/** The same on Deno Deploy, which kills 5 s after the signal: time for the leases to be handed back must be left. */
const DEPLOY_GRACE_MS = 3_000;
/** How long handlers of queue messages have there, ms. */
const DEPLOY_DISPATCHER_MS = 2_000;

// Deno Deploy finds crons at the top level of the program and nowhere else.
const crons = registerCrons();

/** Runs until a signal ends it. Throws `UserError`. */
export async function serve(role: Role): Promise<void> {
  const config = readConfig();
  const lacks = assertPermitted(readEnvironment());
  const log = createLog({ level: config.logLevel, secrets: listSecrets(config) });
  for (const lack of lacks) log("warn", {}, lack);
  const letUncaughtEnd = outliveUncaught(log);
  const opening = openDatabase({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    ...(config.deploy && { connections: DEPLOY_CONNECTIONS }),
    role: "service",
    onConnectionError: (error) => log("warn", { error }, "lost a database connection"),
    onStopped(error) {
      log("error", { error }, "the embedded database died; start the service again");
      Deno.exit(1);
    },
  });
  const [{ database: db, ownedBy, migrated }, parts] = await Promise.all([opening, loadParts()]);
  const analysts = parts.createAnalysts(config);
  const desk = parts.createDesk({ db, config, analysts, log });
  let crew: Crew | undefined;
  try {
    if (ownedBy) throw alreadyOwned(config.dataDir, ownedBy);
    const dispatcher = await parts.openDispatcher({ db, config, log });
    const wake = (session: Session) => parts.wakeWorkers({ dispatcher, log }, session);
    const telegram = role === "worker" ? null : await createTelegram({ db, desk, config, log, wake });
    const sinks = [...parts.makeSinks(config, log), ...telegram?.sinks ?? []];
    const ended = nextSignal();
    const ending = new AbortController();
    let begun = false;
    const app = parts.createWebApp({
      desk,
      db,
      config,
      log,
      wake,
      webhook: telegram?.webhook ?? null,
      healthOnly: role === "worker",
      dispatcherTrouble: () =>
        ending.signal.aborted ? "the process stops" : begun ? dispatcher.healthy() : "the process starts",
    });
    // Before anything is sent that must be paid for: an address that is taken ends it here.
    const web = parts.serveWeb(app, config.host, config.port, log);
    crew = await parts.gatherCrew(role, { db, desk, config, analysts, sinks, log });
    const jobs = parts.createJobContext({
      db,
      desk,
      config,
      log,
      runner: crew.id,
      drain: crew.drain,
      dispatcher,
      sinks,
    });
    const { batch_processing, ...others } = parts.routeMessages(jobs, crew.worker, ending.signal);
    // In a queue that processes share, wake-ups are for those that analyse.
    const leaveWork = role === "web" && config.dispatch === "pgboss";
    dispatcher.listen(leaveWork ? others : { batch_processing, ...others });
    // On Deno Deploy a process may begin for one look at a page, and the cron that drains takes up what is there.
    if (!crew.drain) await parts.takeUpWork(jobs);
    await crons.begin(jobs);
    begun = true;
    log("info", { role, database: db.where, analyst: config.analyst, page: web.url, migrated }, "ready");
    telegram?.start();
    const signal = await ended;
    log("info", { signal, under_way: crew.holding() }, "stopping; answers under way are still taken in");
    ending.abort();
    await stop({ web, telegram, dispatcher, crew }, config.deploy !== null);
  } catch (error) {
    // What is already paid for is taken in while there is a database.
    await crew?.stop(GRACE_MS);
    throw error;
  } finally {
    await db.close();
    letUncaughtEnd();
  }
  log("info", {}, "stopped");
}

/** What the service is made of, loaded while its database opens: the embedded one does so in a thread of its own. */
async function loadParts() {
  const [analysis, desk, crew, sinks, app, web, dispatch, wake, jobs, routes, work] = await Promise.all([
    import("./lib/analysis/make_analyst.ts"),
    import("./lib/desk.ts"),
    import("./lib/crew.ts"),
    import("./lib/alerts/sinks/make_sinks.ts"),
    import("./lib/web/app.ts"),
    import("./lib/web/serve.ts"),
    import("./jobs/queue/open_dispatcher.ts"),
    import("./jobs/initiate_batch_processing.ts"),
    import("./jobs/job_context.ts"),
    import("./jobs/route_messages.ts"),
    import("./jobs/take_up_work.ts"),
  ]);
  return {
    ...analysis,
    ...desk,
    ...crew,
    ...sinks,
    ...app,
    ...web,
    ...dispatch,
    ...wake,
    ...jobs,
    ...routes,
    ...work,
  };
}

interface Running {
  web: { stop(): Promise<void> };
  telegram: TelegramService | null;
  dispatcher: Dispatcher;
  crew: Crew;
}

/**
 * All at once. The crew claims nothing from this moment on: a Telegram that is silent, or a page that is slow, must not
 * give the worker time to buy more, nor use up the time after which a supervisor kills.
 */
async function stop({ web, telegram, dispatcher, crew }: Running, onDeploy: boolean): Promise<void> {
  const worker = crew.stop(onDeploy ? DEPLOY_GRACE_MS : GRACE_MS);
  const doors = Promise.all([web.stop(), telegram?.stop()]);
  // Whoever came in last may still set a wake-up, except where there is no time for that.
  const queue = onDeploy ? dispatcher.stop(DEPLOY_DISPATCHER_MS) : doors.finally(() => dispatcher.stop());
  const ends = await Promise.allSettled([worker, doors, queue, crons.stop()]);
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
}

/** Null: no token. The bot's libraries are loaded only when there is one. */
async function createTelegram(
  deps: Omit<BotDeps, "token" | "apiRoot" | "pictures">,
): Promise<TelegramService | null> {
  if (deps.config.telegram.token === null) return null;
  const { createTelegramService } = await import("./bot/service.ts");
  return createTelegramService(deps);
}

function alreadyOwned(dataDir: string, ownedBy: string): UserError {
  return new UserError(
    `Cannot start: ${ownedBy} owns DATA_DIR ${dataDir}. A service has a database to itself: ` +
      `end the other one, choose another DATA_DIR, or set DATABASE_URL to a PostgreSQL server`,
  );
}

/** The first signal begins the orderly stop; a second one ends the process as the system would. */
function nextSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    const heard = (signal: Deno.Signal) => {
      Deno.removeSignalListener("SIGINT", onInterrupt);
      Deno.removeSignalListener("SIGTERM", onTerminate);
      resolve(signal);
    };
    const onInterrupt = () => heard("SIGINT");
    const onTerminate = () => heard("SIGTERM");
    Deno.addSignalListener("SIGINT", onInterrupt);
    Deno.addSignalListener("SIGTERM", onTerminate);
  });
}

function readRole(args: readonly string[]): Role {
  try {
    const { values } = parseArgs({ args: [...args], options: { role: { type: "string", default: "all" } } });
    return parseRole(values.role);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UsageError(`Cannot start: ${messageOf(error)}. Wanted nothing, or --role all, worker or web`);
  }
}

if (import.meta.main) {
  try {
    await serve(readRole(Deno.args));
    Deno.exit(0);
  } catch (error) {
    console.error(error instanceof UserError ? error.message : `Nightdesk stopped: ${messageOf(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
