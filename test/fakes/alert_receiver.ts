/**
 * The far end of ALERT_WEBHOOK_URL on a bad day: takes its time, and now and then says that it cannot take an alert now.
 * Remembers every request, also one whose sender died before the answer.
 */

export interface SeenAlert {
  /** The same for the same notice of the same alert. */
  key: string;
  alertId: number;
  notice: "raised" | "resolved";
  text: string;
  /** ms since 1970. */
  at: number;
  /** False: it was turned away and has to come again. */
  taken: boolean;
}

export interface AlertReceiver {
  url: string;
  /** In order of arrival. */
  seen: readonly SeenAlert[];
  close(): Promise<void>;
}

export interface ReceiverOptions {
  /** Numbers from 0 up to 1. */
  random: () => number;
  /** The longest that an answer takes, ms. */
  longestMs: number;
  /** Share of the alerts that are turned away. */
  turnedAway: number;
}

export function startAlertReceiver({ random, longestMs, turnedAway }: ReceiverOptions): AlertReceiver {
  const seen: SeenAlert[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const key = request.headers.get("idempotency-key") ?? "";
    const { alert_id: alertId, notice, text } = await request.json();
    const taken = random() >= turnedAway;
    seen.push({ key, alertId, notice, text, at: Date.now(), taken });
    await new Promise((resolve) => setTimeout(resolve, random() * longestMs));
    return new Response(null, { status: taken ? 204 : 503 });
  });
  return { url: `http://127.0.0.1:${server.addr.port}/alerts`, seen, close: () => server.shutdown() };
}
