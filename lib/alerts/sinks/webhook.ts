/**
 * Alerts as JSON, posted to an address of the operator's. What is sent twice after a crash has the same
 * Idempotency-Key. Address and token never appear in an error: the address is often the only secret of a webhook.
 */
import { readRetryAfter } from "../../http/retry_after.ts";
import { sendOnce } from "../../http/send_once.ts";
import { adviceFor, ruleOf } from "../rules.ts";
import type { AlertSink, Notice, SendResult } from "./port.ts";

/** An answer takes no longer than this, ms. */
const TIMEOUT_MS = 10_000;
/**
 * Refusals of this document, which sending it again cannot change. Every other one is about the address or the token (a
 * rotated token, a proxy's 404 while the receiver is deployed): what waits behind it would be lost, one by one, for good.
 */
const NEVER: ReadonlySet<number> = new Set([400, 413, 415, 422]);

export interface Webhook {
  url: string;
  /** Sent as a bearer token; null: none. */
  token: string | null;
}

export function createWebhookSink({ url, token }: Webhook, timeoutMs = TIMEOUT_MS): AlertSink {
  return {
    name: "webhook",
    async send(notice, signal) {
      const delivery = await sendOnce({
        url,
        headers: {
          "idempotency-key": `${notice.alert.alert_id}:${notice.notice}`,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(describeNotice(notice)),
        timeoutMs,
        signal,
      });
      // Once the status is there, the rest of the answer says nothing that we want to know.
      if (delivery.kind === "answered") return judgeStatus(delivery.status, delivery.headers);
      return { ok: false, refused: false, error: WAYS_TO_FAIL[delivery.kind] };
    },
  };
}

const WAYS_TO_FAIL = {
  not_sent: "could not connect",
  timed_out: "no answer in time",
  cancelled: "cut off before the answer",
  connection_lost: "the connection broke before the answer",
};

function judgeStatus(status: number, headers: Headers): SendResult {
  if (status >= 200 && status < 300) return { ok: true };
  const error = `answered ${status}${adviceOn(status)}`;
  if (NEVER.has(status)) return { ok: false, refused: true, error };
  const retryAfterMs = readRetryAfter(headers);
  return { ok: false, refused: false, error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** What a person should do about it; it stands beside the sink until it takes alerts again. */
function adviceOn(status: number): string {
  if (status >= 300 && status < 400) return ": redirects are not followed, set the address that it leads to";
  if (status === 401 || status === 403) return ": see whether ALERT_WEBHOOK_TOKEN still holds";
  if (status === 404 || status === 410) return ": see whether ALERT_WEBHOOK_URL still holds";
  return "";
}

/** The document that is posted. Fields are added to it, never renamed or taken away. */
export function describeNotice({ alert, notice }: Notice): Record<string, unknown> {
  return {
    notice,
    alert_id: alert.alert_id,
    dedupe_key: alert.dedupe_key,
    rule: alert.rule,
    level: alert.level,
    title: ruleOf(alert.rule).title,
    text: alert.text,
    advice: adviceFor(alert),
    session: alert.number,
    session_id: alert.session_id,
    lasting: alert.lasting,
    detail: alert.detail,
    created_at: alert.created_at,
    resolved_at: alert.resolved_at,
    resolution: alert.resolution,
  };
}
