/** What goes wrong on purpose: before a call is carried out, or after, when only its answer is lost. */
import type { ErrorParameters } from "./api_error.ts";
import type { Params } from "./params.ts";

/** How a connection can end without an answer. */
export type Silence = "reset" | "close" | "silent";

export type Fault =
  /** The call is carried out; its answer never arrives, or arrives in half. */
  | { kind: "lost_answer"; by: Silence | "cut" }
  /** The call is not carried out and not answered. */
  | { kind: "unanswered"; by: Silence }
  /** Not carried out; answered by something in front of Telegram, in HTML. */
  | { kind: "gateway"; status: 500 | 502 | 503 | 504 }
  /** Not carried out; answered by Telegram. */
  | { kind: "error"; code: number; description: string; parameters?: ErrorParameters }
  /** Carried out and answered, later. */
  | { kind: "late"; ms: number };

/** Which calls meet a fault; what is not named matches. */
export interface FaultWhere {
  method?: string;
  chat?: number;
  /** In the text or the caption. */
  text?: RegExp;
  /** How often (default 1). */
  times?: number;
}

export interface PlannedFault {
  /** How often it struck. */
  readonly struck: number;
  cancel(): void;
}

export class FaultPlan {
  readonly #planned: { where: FaultWhere; fault: Fault; left: number; struck: number }[] = [];

  add(where: FaultWhere, fault: Fault): PlannedFault {
    const entry = { where, fault, left: where.times ?? 1, struck: 0 };
    this.#planned.push(entry);
    return {
      get struck() {
        return entry.struck;
      },
      cancel: () => entry.left = 0,
    };
  }

  /** The fault that this call meets. Faults that were planned first come first. */
  next(method: string, params: Params): Fault | null {
    const entry = this.#planned.find(({ where, left }) =>
      left > 0 && (where.method ?? method) === method &&
      (where.chat === undefined || String(where.chat) === params.text("chat_id")) &&
      (where.text === undefined || where.text.test(params.text("text") ?? params.text("caption") ?? ""))
    );
    if (!entry) return null;
    entry.left--;
    entry.struck++;
    return entry.fault;
  }
}
