/** Analyst and researcher behind a breaker: the same ports, so that nobody else needs to know. */
import type { Analyst, CallResult, Researcher } from "../port.ts";
import type { Breaker, Failed } from "./breaker.ts";

/** Every request of the analyst counts for `breaker`; while that is open none leaves. */
export function guardAnalyst(analyst: Analyst, breaker: Breaker): Analyst {
  const unsent = (refusal: Failed) => ({ ...refusal, usage: null, answeredModel: null });
  const run = <T>(subject: string, send: () => Promise<CallResult<T>>) =>
    breaker.run<CallResult<T>>(subject, send, unsent);
  return {
    provider: analyst.provider,
    model: analyst.model,
    simulated: analyst.simulated,
    promptVersion: analyst.promptVersion,
    bound: (utf8Bytes) => analyst.bound(utf8Bytes),
    validationBound: () => analyst.validationBound(),
    prepare: (article) => analyst.prepare?.(article),
    expect: (requests) => analyst.expect?.(requests),
    analyse: (article, signal, answered) =>
      run(`article ${article.id}`, () => analyst.analyse(article, signal, answered)),
    validate: (claim, sources, signal) =>
      run(`claim ${claim}`, () => analyst.validate(claim, sources, signal)),
  };
}

/** The same for searches. */
export function guardResearcher(researcher: Researcher, breaker: Breaker): Researcher {
  return {
    provider: researcher.provider,
    simulated: researcher.simulated,
    boundCredits: researcher.boundCredits,
    creditPrice: researcher.creditPrice,
    search: (query, signal) =>
      breaker.run(
        query,
        () => researcher.search(query, signal),
        (refusal) => ({ ...refusal, credits: null }),
      ),
  };
}
