/** From an HTTP request to a method of the Bot API and back, with the faults that were planned for it. */
import { messageOf } from "../../../lib/errors.ts";
import type { WireReply, WireRequest } from "../wire_server.ts";
import { ApiError } from "./api_error.ts";
import { type Fault, FaultPlan, type Silence } from "./faults.ts";
import { METHODS, type Server } from "./methods.ts";
import { Params, readParams } from "./params.ts";

export interface ApiCall {
  /** ms since 1970. */
  at: number;
  method: string;
  params: Params;
  /** HTTP status; "lost": carried out, but not answered; "dropped": neither; "pending": not yet. */
  outcome: number | "lost" | "dropped" | "pending";
}

export type Away = Silence | "gateway";

export class CallServer {
  readonly calls: ApiCall[] = [];
  readonly faults = new FaultPlan();
  /** What every call meets while Telegram is away; null: it is there. */
  away: Away | null = null;

  constructor(readonly server: Server, readonly token: string) {}

  /** `/bot<token>/<method>`, with parameters in the query, the body or both. */
  async handle(request: WireRequest): Promise<WireReply> {
    const url = new URL(request.path, "http://telegram");
    const [, token, name] = /^\/bot([^/]+)\/(\w+)$/.exec(url.pathname) ?? [];
    if (this.away) return this.#missed(name ?? url.pathname, this.away);
    if (token === undefined || name === undefined) return answerError(new ApiError(404, "Not Found"));
    if (decodeURIComponent(token) !== this.token) return answerError(new ApiError(401, "Unauthorized"));
    return await this.call(name, await readParams(request, url.searchParams), request.gone);
  }

  /** Carries out a call that did not come over HTTP. */
  async call(name: string, params: Params, gone: AbortSignal): Promise<WireReply> {
    const call: ApiCall = { at: Date.now(), method: name, params, outcome: "pending" };
    this.calls.push(call);
    const fault = this.faults.next(name, params);
    const reply = replyInstead(fault) ?? treat(fault, await this.#perform(name, params, gone));
    // A poll that was waiting when Telegram went away ends like everything else then.
    const last = this.away && name === "getUpdates" ? replyAway(this.away) : reply;
    call.outcome = last.kind === "answer" ? last.status : fault?.kind === "lost_answer" ? "lost" : "dropped";
    this.server.world.changed();
    return last;
  }

  async #perform(name: string, params: Params, gone: AbortSignal): Promise<WireReply & { kind: "answer" }> {
    try {
      // Telegram does not mind capitals: /getme is /getMe.
      const known = Object.keys(METHODS).find((method) => method.toLowerCase() === name.toLowerCase());
      if (!known) throw new ApiError(404, "Not Found: method not found");
      return answer(200, { ok: true, result: await METHODS[known]!(this.server, params, gone) });
    } catch (error) {
      return answerError(error instanceof ApiError ? error : new ApiError(500, messageOf(error)));
    }
  }

  #missed(method: string, away: Away): WireReply {
    const outcome = away === "gateway" ? 502 : "dropped";
    this.calls.push({ at: Date.now(), method, params: new Params({}), outcome });
    return replyAway(away);
  }
}

function replyAway(away: Away): WireReply {
  return away === "gateway" ? gateway(502) : { kind: away };
}

/** The reply in place of a call that is not carried out; null when it is. */
function replyInstead(fault: Fault | null): WireReply | null {
  if (fault?.kind === "unanswered") return { kind: fault.by };
  if (fault?.kind === "gateway") return gateway(fault.status);
  if (fault?.kind === "error") {
    return answerError(new ApiError(fault.code, fault.description, fault.parameters));
  }
  return null;
}

/** What becomes of the answer to a call that was carried out. */
function treat(fault: Fault | null, reply: WireReply & { kind: "answer" }): WireReply {
  if (fault?.kind === "late") return { ...reply, delayMs: fault.ms };
  if (fault?.kind !== "lost_answer") return reply;
  return fault.by === "cut" ? { kind: "cut", status: reply.status, body: reply.body } : { kind: fault.by };
}

function gateway(status: number): WireReply & { kind: "answer" } {
  const body = `<html>\r\n<head><title>${status}</title></head>\r\n<body>nginx</body>\r\n</html>`;
  return { kind: "answer", status, body };
}

function answer(status: number, value: unknown): WireReply & { kind: "answer" } {
  return { kind: "answer", status, body: JSON.stringify(value) };
}

function answerError({ code, description, parameters }: ApiError): WireReply & { kind: "answer" } {
  return answer(code, { ok: false, error_code: code, description, ...(parameters && { parameters }) });
}
