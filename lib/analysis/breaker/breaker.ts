/**
 * A circuit breaker for one provider and this process, on `cockatiel`: after several failures in a row that may be the
 * provider's trouble nothing more is sent for a while, then one request tries whether it is over.
 *
 *     closed --run of failures--> open --wait is over--> half open --answered--> closed
 *                                  ^                         |
 *                                  +---- failed: twice the wait
 *
 * What the library does not know is whose fault a failure is. A provider in trouble fails every article, so while its
 * breaker is not closed a failure costs the article nothing. But an article can cause such failures by itself, so those
 * that only *may* be the provider's open the breaker only when several articles met them in the same run, and excuse an
 * article a few times at most: one that nobody can analyse ends FAILED, also when it is the last one left.
 */
import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  handleWhenResult,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
  isBrokenCircuitError,
} from "cockatiel";
import { describeFailure, type FailureTable } from "../failures.ts";
import type { Failure } from "../port.ts";
import { doublingMs } from "./doubling.ts";

export interface BreakerTiming {
  /** Failures in a row that open it. */
  failures: number;
  /** Until the first try after it opened, ms; doubles with every try that fails. */
  firstOpenMs: number;
  longestOpenMs: number;
}

/**
 * Five failures in a row are no accident where fewer than one request in a hundred fails. Overloads of a model last
 * seconds to minutes, so the first try comes soon; one request in five minutes is no burden to a service that
 * struggles, and after an outage of ten minutes the desk is back within three (with ten minutes it took six).
 */
export const BREAKER_TIMING: BreakerTiming = {
  failures: 5,
  firstOpenMs: 30_000,
  longestOpenMs: 5 * 60_000,
};

/** Articles that must have failed in the same run before the provider is believed to be the cause, unless it is sure. */
const WITNESSES = 3;
/** How often an article is excused before somebody's request has succeeded after an opening. */
const MOST_EXCUSES = 5;

export type Failed = { ok: false } & Failure;
/** What every call of a port resolves to. */
type Answer = { ok: true } | Failed;

export class Breaker {
  readonly #policy: CircuitBreakerPolicy;
  #openedAt = 0;
  #openMs = 0;
  /** Counts openings: a request that left before the last one says nothing about now. */
  #era = 0;
  /** Failures since the last answer that was none, and what they were about. */
  #failures = 0;
  readonly #subjects = new Set<string>();
  /** One of them was the provider's for sure. */
  #sure = false;
  readonly #excuses = new Map<string, number>();
  #lastMessage = "";
  /** It is known from elsewhere that the provider was in trouble: the next failure proves that it still is. */
  #suspect = false;

  constructor(readonly provider: keyof FailureTable, timing: BreakerTiming = BREAKER_TIMING) {
    this.#policy = circuitBreaker(handleWhenResult((result) => (result as Judged<Answer>).failed), {
      // Counted here instead of by the library's own breakers: a 429 is neither a failure nor a success.
      breaker: {
        state: null,
        success() {},
        failure: () => this.#suspect || this.#failures >= timing.failures && this.#hasEvidence(),
      },
      halfOpenAfter: this.#createBackoff(timing),
    });
    this.#policy.onBreak(() => this.#era++);
    this.#policy.onReset(() => {
      this.#forgetRun();
      this.#excuses.clear();
    });
  }

  get state(): "closed" | "open" | "half_open" {
    if (this.#policy.state === CircuitState.Closed) return "closed";
    return this.#policy.state === CircuitState.Open ? "open" : "half_open";
  }

  /** ms until a request may try; 0 when one may now. */
  get waitMs(): number {
    return this.state === "open" ? Math.max(0, this.#openedAt + this.#openMs - Date.now()) : 0;
  }

  /**
   * There was trouble, seen here or by another process, and somebody wants to know whether it is over: the next
   * request may leave, and if it fails nothing follows it.
   */
  tryNow(): void {
    this.#openMs = 0;
    this.#suspect = true;
  }

  /**
   * Sends and resolves to the answer; while open it does not send and resolves to `circuit_open`. A failure that is
   * the provider's comes back with action `pause` when it opened the breaker, else as `spared`.
   * @param subject What the request is about: one article's failures are told from everybody's by it.
   * @param complete Makes an answer of the port from a refusal.
   */
  async run<A extends Answer>(
    subject: string,
    send: () => Promise<A>,
    complete: (refusal: Failed) => A,
  ): Promise<A> {
    // One request tries. The library would let the others wait for its outcome, with their money held.
    if (this.state === "half_open") return complete(this.#refuse());
    const era = this.#era;
    try {
      const { answer, failed } = await this.#policy.execute(async (): Promise<Judged<A>> => {
        const tries = this.state === "half_open";
        const answer = await send();
        const failed = era === this.#era && this.#note(subject, answer);
        // A try whose caller hung up has shown nothing; believing it would send the whole crowd.
        return { answer, failed: failed || tries && isCancelled(answer) };
      });
      return answer.ok ? answer : { ...answer, ...this.#blame(subject, answer, failed) };
    } catch (error) {
      if (isBrokenCircuitError(error)) return complete(this.#refuse());
      throw error;
    }
  }

  /** Keeps the run. Says whether the answer is a failure that may be the provider's. */
  #note(subject: string, answer: Answer): boolean {
    if (!answer.ok && answer.trouble) {
      this.#failures++;
      this.#subjects.add(subject);
      this.#sure ||= answer.trouble === "provider";
      this.#lastMessage = answer.message;
      return true;
    }
    // "Come back later" neither proves nor disproves that it works; any other answer does.
    const neutral = !answer.ok && answer.action === "wait" || isCancelled(answer);
    if (!neutral) this.#forgetRun();
    if (answer.ok) this.#excuses.delete(subject);
    return false;
  }

  /** What changes about a failure when it is the provider's and not the article's. */
  #blame(
    subject: string,
    failure: Failure,
    failed: boolean,
  ): Partial<Pick<Failure, "action" | "waitMs" | "spared">> {
    if (!failure.trouble || !this.#excuse(subject, failure)) return {};
    const openedIt = failed && this.state === "open";
    return openedIt ? { action: "pause", waitMs: this.waitMs } : { spared: true };
  }

  #excuse(subject: string, failure: Failure): boolean {
    const excused = this.#excuses.get(subject) ?? 0;
    const sure = failure.trouble === "provider";
    const closed = this.state === "closed";
    // What is sure needs no breaker to be believed, and while that is not closed no limit.
    const believed = excused < MOST_EXCUSES ? sure || !closed : sure && !closed;
    if (believed) this.#excuses.set(subject, excused + 1);
    return believed;
  }

  #refuse(): Failed {
    const finding = { failure: "circuit_open", detail: this.#lastMessage, waitMs: this.waitMs } as const;
    const refusal: Failed = { ok: false, ...describeFailure(this.provider, finding, "") };
    // While one request tries, whoever comes has to wait only for its answer.
    return this.state === "half_open" ? { ...refusal, action: "wait" } : refusal;
  }

  #hasEvidence(): boolean {
    return this.#sure || this.#subjects.size >= WITNESSES;
  }

  #forgetRun(): void {
    this.#failures = 0;
    this.#suspect = false;
    this.#sure = false;
    this.#subjects.clear();
  }

  #createBackoff({ firstOpenMs, longestOpenMs }: BreakerTiming): IBackoff<IHalfOpenAfterBackoffContext> {
    const remaining = () => this.#openMs;
    const opened = (ms: number) => {
      this.#openedAt = Date.now();
      this.#openMs = ms;
    };
    return {
      // Read by the library whenever it is asked, which lets `tryNow` cut it short.
      get duration() {
        return remaining();
      },
      next({ attempt }) {
        opened(doublingMs(firstOpenMs, longestOpenMs, attempt - 1));
        return this;
      },
    };
  }
}

interface Judged<A> {
  answer: A;
  failed: boolean;
}

function isCancelled(answer: Answer): boolean {
  return !answer.ok && answer.failure === "cancelled";
}
