/**
 * What answers and settlements mean beyond their own article: the session pauses or ends, everybody waits, searches are
 * switched off. Written in the background; what could not be written is repeated when it is still needed.
 */
import type { Failure } from "../../analysis/port.ts";
import type { SettleResult } from "../../budget/ledger/settle_calls.ts";
import { messageOf } from "../../errors.ts";
import { finishIfDone, pauseSession, switchResearchOff } from "../change_session.ts";
import type { ServingOptions } from "./active_session.ts";
import type { TroubleTiming } from "./come_back.ts";
import { ProviderTrouble } from "./provider_trouble.ts";
import { Recall } from "./recall.ts";

/** So many articles refused in a row, without one that was taken: it is not the articles. */
const REFUSED_RUN_LIMIT = 5;
/** A run of failures without one success pauses the session instead of burning its budget. */
const FAILURE_RUN_LIMIT = 10;

export interface FollowUpOptions extends Pick<ServingOptions, "db" | "workerId" | "gate" | "log"> {
  timing?: TroubleTiming;
  /** What is claimed of this session and was not sent goes back; null: of every session with a real provider. */
  giveBack(sessionId: string | null): void;
  /** What is known of the session served now is out of date. */
  chooseAnew(): void;
  wake(): void;
}

export class FollowUps {
  readonly #options: FollowUpOptions;
  readonly trouble: ProviderTrouble;
  /** Sessions that are being paused: nothing more of theirs is sent until that is written. */
  readonly halted = new Set<string>();
  /** Sessions whose searches cannot succeed any more, with the reason; their row says so a moment later. */
  readonly #researchOff = new Map<string, string>();
  /** Articles whose requests were refused since one was taken, by session. */
  readonly #refused = new Map<string, Set<number>>();
  /** Fires when everybody has to wait. */
  readonly stayAway = new Recall();
  /** Fires when a session is halted. */
  readonly halt = new Recall();

  constructor(options: FollowUpOptions) {
    this.#options = options;
    this.trouble = new ProviderTrouble(options.gate, options.timing);
    options.gate.onClosedElsewhere((ms) => {
      options.log("info", { wait_ms: Math.round(ms) }, "another process was asked to come back later");
      this.trouble.heardOfWait();
      this.stayAway.fire();
      options.giveBack(null);
    });
  }

  /** What that changes for the session's articles. */
  researchIsOff(sessionId: string): { researcher?: null; researchOff?: string } {
    const researchOff = this.#researchOff.get(sessionId);
    return researchOff === undefined ? {} : { researcher: null, researchOff };
  }

  /** @param sentAt When what was answered had left (`performance.now()`). */
  afterSuccess(sessionId: string, sentAt: number): void {
    this.trouble.succeeded(sentAt);
    this.#refused.delete(sessionId);
  }

  afterFailure(sessionId: string, articleId: number, failure: Failure): void {
    const { db, workerId, log, giveBack, chooseAnew } = this.#options;
    log("warn", { failure: failure.failure, action: failure.action }, failure.message);
    if (failure.refused) this.#afterRefusal(sessionId, articleId, failure);
    const consequence = this.trouble.heed(failure);
    switch (consequence.kind) {
      case "none":
        return;
      case "stay_away":
        this.stayAway.fire();
        return giveBack(sessionId);
      case "pause": {
        const detail = { error: failure.message, failure: failure.failure };
        const { reason, comeBack } = consequence;
        return this.#haltFor(
          sessionId,
          () => pauseSession(db, sessionId, workerId, reason, detail, comeBack),
        );
      }
      case "stop_research":
        this.#researchOff.set(sessionId, failure.message);
        chooseAnew();
        return this.#background(
          switchResearchOff(db, sessionId, workerId, failure.message).catch((error) => {
            // The next article searches, is refused, and this is written then.
            this.#researchOff.delete(sessionId);
            throw error;
          }),
        );
    }
  }

  afterSettlement(sessionId: string, { open, failure_run, status }: SettleResult["session"]): void {
    const { db, workerId } = this.#options;
    if (open === 0) this.#background(finishIfDone(db, sessionId, workerId));
    else if (failure_run >= FAILURE_RUN_LIMIT && status === "PROCESSING") {
      const detail = { failures: failure_run };
      this.#haltFor(sessionId, () => pauseSession(db, sessionId, workerId, "failing", detail));
    }
  }

  #afterRefusal(sessionId: string, articleId: number, failure: Failure): void {
    const articles = this.#refused.get(sessionId) ?? new Set();
    this.#refused.set(sessionId, articles.add(articleId));
    if (articles.size < REFUSED_RUN_LIMIT) return;
    this.#refused.delete(sessionId);
    const { db, workerId } = this.#options;
    const detail = { error: failure.message, failure: failure.failure, articles: articles.size };
    this.#haltFor(sessionId, () => pauseSession(db, sessionId, workerId, "requests_refused", detail));
  }

  #haltFor(sessionId: string, pause: () => Promise<unknown>): void {
    // What was out together fails together. One pause is enough: a second one, written late, could undo a resume.
    if (this.halted.has(sessionId)) return;
    this.halted.add(sessionId);
    this.#options.chooseAnew();
    this.halt.fire();
    this.#options.giveBack(sessionId);
    this.#background(pause().finally(() => this.halted.delete(sessionId)));
  }

  #background(work: Promise<unknown>): void {
    const { wake, log } = this.#options;
    work.then(() => wake()).catch((error) =>
      log(
        "warn",
        { error: messageOf(error) },
        "a follow-up was not written; it is repeated when it is still needed",
      )
    );
  }
}
