/**
 * Questions that wait for a tap: "Start this?", "Cancel it?". The row in Postgres decides, not the message: an answer
 * counts once, in its chat and message, from the person who asked, in time, also across restarts and processes.
 */
import type { Database, Queryable } from "../lib/database/port.ts";

export const CONFIRMATION_MINUTES = 10;

/** An action that nobody finished for this long was cut off, s. */
const CUT_OFF_SECONDS = 60;

export const KINDS = ["start", "recover", "cancel", "session_budget", "day_budget", "unknown"] as const;
export type ConfirmationKind = (typeof KINDS)[number];

export type Answer = "yes" | "no";

export interface Confirmation {
  token: string;
  kind: ConfirmationKind;
  /** What would be done; read back with a schema by whoever does it. */
  request: unknown;
  chat_id: number;
  message_id: number | null;
  user_id: number;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
  answer: Answer | null;
  /** What came of it, for people. */
  outcome: string | null;
}

export interface NewConfirmation {
  kind: ConfirmationKind;
  request: unknown;
  chat: number;
  user: number;
}

const COLUMNS =
  `token, kind, request, chat_id, message_id, user_id, created_at, expires_at, used_at, answer, outcome`;

/** Returns the token, which nobody can guess and which fits on a button. */
export async function createConfirmation(
  db: Queryable,
  { kind, request, chat, user }: NewConfirmation,
  now: Date | null = null,
): Promise<string> {
  const token = randomToken();
  await db.query(
    `INSERT INTO telegram_confirmations (token, kind, request, chat_id, user_id, created_at, expires_at)
     SELECT $1, $2, $3, $4, $5, at, at + $7 * interval '1 minute' FROM (SELECT coalesce($6::timestamptz, now()) AS at) t`,
    [token, kind, JSON.stringify(request), chat, user, now, CONFIRMATION_MINUTES],
  );
  return token;
}

/** From now on only this message's buttons count. */
export async function bindMessage(db: Queryable, token: string, message: number): Promise<void> {
  await db.query(
    "UPDATE telegram_confirmations SET message_id = $2 WHERE token = $1 AND message_id IS NULL",
    [token, message],
  );
}

export interface Tap {
  token: string;
  answer: Answer;
  chat: number;
  message: number;
  user: number;
}

export type Consumption =
  /** This tap decided; nobody else's will. */
  | { kind: "consumed"; confirmation: Confirmation }
  /**
   * Answered before; `confirmation.outcome` says what came of it. `cutOff`: it was answered yes in time, and whoever was
   * to carry it out has died over it.
   */
  | { kind: "used"; confirmation: Confirmation; cutOff: boolean }
  | { kind: "expired"; confirmation: Confirmation }
  /** Asked by somebody else. */
  | { kind: "not_yours"; confirmation: Confirmation }
  /** No such question, or not in this message. */
  | { kind: "unknown" };

/**
 * One statement decides: of any number of taps at once exactly one is `consumed`. A tap that comes before the message's
 * id was written down binds it.
 */
export async function consumeConfirmation(
  db: Database,
  tap: Tap,
  now: Date | null = null,
): Promise<Consumption> {
  const { rows: [confirmation] } = await db.query<Confirmation>(
    `UPDATE telegram_confirmations SET used_at = coalesce($6::timestamptz, now()), answer = $2, message_id = $4
     WHERE token = $1 AND used_at IS NULL AND expires_at > coalesce($6::timestamptz, now())
       AND chat_id = $3 AND user_id = $5 AND (message_id IS NULL OR message_id = $4)
     RETURNING ${COLUMNS}`,
    [tap.token, tap.answer, tap.chat, tap.message, tap.user, now],
  );
  return confirmation ? { kind: "consumed", confirmation } : await explainRefusal(db, tap, now);
}

async function explainRefusal(db: Queryable, tap: Tap, now: Date | null): Promise<Consumption> {
  const { rows: [row] } = await db.query<Confirmation & { cut_off: boolean }>(
    `SELECT ${COLUMNS}, answer = 'yes' AND outcome IS NULL AND expires_at > at
       AND used_at < at - $3 * interval '1 s' AS cut_off
     FROM telegram_confirmations, coalesce($2::timestamptz, now()) AS at WHERE token = $1`,
    [tap.token, now, CUT_OFF_SECONDS],
  );
  if (!row) return { kind: "unknown" };
  const { cut_off: cutOff, ...confirmation } = row;
  const here = confirmation.chat_id === tap.chat &&
    (confirmation.message_id === null || confirmation.message_id === tap.message);
  if (!here) return { kind: "unknown" };
  if (confirmation.user_id !== tap.user) return { kind: "not_yours", confirmation };
  return confirmation.used_at === null
    ? { kind: "expired", confirmation }
    : { kind: "used", confirmation, cutOff: cutOff ?? false };
}

/** Writes down what came of it. The first word stays. */
export async function concludeConfirmation(db: Queryable, token: string, outcome: string): Promise<void> {
  await db.query("UPDATE telegram_confirmations SET outcome = coalesce(outcome, $2) WHERE token = $1", [
    token,
    outcome,
  ]);
}

/** 128 random bits in 22 characters that buttons take. */
function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toBase64({ alphabet: "base64url", omitPadding: true });
}
