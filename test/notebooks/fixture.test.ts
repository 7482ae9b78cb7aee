import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { openDatabase } from "../../lib/database/connect.ts";
import { fromFileUrl } from "../../lib/database/paths.ts";
import type { Database } from "../../lib/database/port.ts";
import { fixtureFiles } from "../../notebooks/fixture/fixture.ts";
import { FIXTURE_NOW, FIXTURE_START, STORY } from "../../notebooks/fixture/story.ts";
import { type Notebook, readNotebook } from "../../notebooks/headless/notebook_file.ts";
import { findViolations } from "../budget/ledger_invariants.ts";
import { checkCosts, checkModels, checkSession, checkSignals } from "./figures.ts";
import { readOutputs } from "./read_outputs.ts";
import { NAMES, NOTEBOOKS } from "./run_cells.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
let dataDir: string;
let files: string;
let db: Database;

beforeAll(async () => {
  dataDir = await Deno.makeTempDir({ prefix: "nd-fixture-test-" });
  files = await fixtureFiles(dataDir);
  // Made for this test alone, so it may be opened where it is.
  ({ database: db } = await openDatabase({
    databaseUrl: null,
    dataDir: join(files, ".."),
    role: "test",
    onConnectionError() {},
  }));
}, 180_000);

afterAll(async () => {
  await db.close();
  await Deno.remove(dataDir, { recursive: true });
});

describe("the fixture", () => {
  it("is a month in which the ledger's every rule holds", async () => {
    const { rows } = await db.query<{ session_id: string; number: number }>(
      "SELECT session_id, number FROM batch_processing_sessions ORDER BY number",
    );
    expect(rows).toHaveLength(STORY.length);
    for (const { session_id, number } of rows) {
      expect({ number, violations: await findViolations(db, session_id) }).toEqual({
        number,
        violations: [],
      });
    }
  });

  it("has a little of everything in it", async () => {
    const { rows: [found] } = await db.query(
      `SELECT array(SELECT DISTINCT status || coalesce(' ' || reason, '') FROM batch_processing_sessions ORDER BY 1) AS ends,
         array(SELECT DISTINCT state FROM paid_calls ORDER BY 1) AS states,
         array(SELECT DISTINCT provider FROM paid_calls ORDER BY 1) AS providers,
         array(SELECT DISTINCT model FROM paid_calls WHERE kind = 'analysis' ORDER BY 1) AS models,
         array(SELECT DISTINCT failure FROM paid_calls WHERE failure IS NOT NULL ORDER BY 1) AS failures,
         (SELECT count(*) > 0 FROM paid_calls WHERE overrun > 0) AS overrun,
         (SELECT sum(retries) > 5 FROM batch_processing_sessions) AS retries,
         (SELECT sum(ungrounded) > 5 FROM batch_processing_sessions) AS ungrounded,
         array(SELECT DISTINCT research_status FROM article_analyses ORDER BY 1) AS verdicts,
         array(SELECT DISTINCT action FROM session_events WHERE action LIKE 'session%' OR action LIKE 'unknown%' ORDER BY 1) AS moves`,
    );
    expect(found).toEqual({
      ends: ["CANCELLED cancelled", "COMPLETED", "PARTIAL budget", "PARTIAL failures"],
      states: ["RELEASED", "SETTLED", "UNKNOWN"],
      providers: ["gemini", "offline", "tavily"],
      models: ["gemini-2.5-flash", "gemini-3.1-flash-lite", "gemini-3.8-flash"],
      failures: [
        "key_refused",
        "not_json",
        "off_schema",
        "overloaded",
        "prompt_blocked",
        "rate_limited",
        "timed_out",
        "worker_lost",
      ],
      overrun: true,
      retries: true,
      ungrounded: true,
      verdicts: ["CONTRADICTED", "INCONCLUSIVE", "INSUFFICIENT_DATA", "NOT_RUN", "VALIDATED"],
      moves: [
        "session_cancelled",
        "session_ended",
        "session_initiated",
        "session_paused",
        "session_recovered",
        "session_resumed",
        "session_started",
        "unknown_resolved",
      ],
    });
  });

  it("has no moment of the day on which it was made, and leaves the clock as it was", async () => {
    const { rows: columns } = await db.query<{ place: string; column: string }>(
      `SELECT table_name AS place, column_name AS column FROM information_schema.columns
       WHERE table_schema = 'public' AND data_type = 'timestamp with time zone' AND table_name <> 'nightdesk_migrations'
         AND column_name <> 'published_at'`,
    );
    expect(columns.length).toBeGreaterThan(20);
    for (const { place, column } of columns) {
      const { rows } = await db.query(
        `SELECT min("${column}") >= $1 AND max("${column}") <= $2 AS inside FROM "${place}" HAVING count("${column}") > 0`,
        [FIXTURE_START, FIXTURE_NOW],
      );
      expect({ place, column, rows }).toEqual({
        place,
        column,
        rows: rows.length === 0 ? [] : [{ inside: true }],
      });
    }
    const { rows } = await db.query(
      `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'fixture_clock') AS schemas, now() > '2026-11-23' AS now,
         (SELECT count(*) FROM information_schema.columns WHERE column_default LIKE '%fixture%') AS defaults`,
    );
    expect(rows).toEqual([{ schemas: 0, now: true, defaults: 0 }]);
  });

  it("is made once: the same files are found the next time", async () => {
    const started = performance.now();
    expect(await fixtureFiles(dataDir)).toBe(files);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("the committed outputs", () => {
  const notebooks = Object.fromEntries(
    NAMES.map((name) => [name, readNotebook(join(NOTEBOOKS, `${name}.ipynb`))]),
  ) as Record<(typeof NAMES)[number], Notebook>;

  it("say of the fixture what SQL says by another way: costs", async () => {
    await checkCosts(db, readOutputs(notebooks.cost_analysis));
  });

  it("say of the fixture what SQL says by another way: a session", async () => {
    await checkSession(db, readOutputs(notebooks.session_review));
  });

  it("say of the fixture what SQL says by another way: models", async () => {
    await checkModels(db, readOutputs(notebooks.model_choice));
  });

  it("say of the fixture what SQL says by another way: signals", async () => {
    await checkSignals(db, readOutputs(notebooks.signals));
  });

  it.each(NAMES)(
    "%s: every cell was run, none failed, and nothing in it is of the machine that ran it",
    async (name) => {
      const { cells } = notebooks[name];
      const code = cells.filter(({ cell_type }) => cell_type === "code");
      expect(code.map(({ outputs = [] }) => outputs.length > 0)).not.toContain(false);
      const outputs = code.flatMap(({ outputs = [] }) => outputs);
      expect(new Set(outputs.map(({ output_type }) => output_type))).toEqual(new Set(["display_data"]));
      const text = await Deno.readTextFile(join(NOTEBOOKS, `${name}.ipynb`));
      for (const place of [ROOT, tmpdir(), Deno.env.get("HOME") ?? ROOT]) {
        expect(text).not.toContain(
          `${place.replace(/\/$/, "")}/`,
        );
      }
      expect(text).not.toMatch(/file:\/\/|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/);
      expect(text.length).toBeLessThan(500_000);
    },
  );

  it("show every chart as a picture", () => {
    const pictures = NAMES.map((name) =>
      notebooks[name].cells.flatMap(({ outputs = [] }) => outputs).filter(({ data }) => data?.["image/png"])
        .length
    );
    expect(Object.fromEntries(NAMES.map((name, index) => [name, pictures[index]]))).toEqual({
      cost_analysis: 4,
      model_choice: 1,
      session_review: 2,
      signals: 3,
    });
  });
});
