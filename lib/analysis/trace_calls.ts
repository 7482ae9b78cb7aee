/** Spans around the requests to the providers, as wrappers of the ports. */
import { type CallEnd, traceCall } from "../trace.ts";
import type { Analyst, CallResult, Researcher, SearchResult } from "./port.ts";

export function traceAnalyst(analyst: Analyst): Analyst {
  const { provider, model } = analyst;
  const attributes = { "gen_ai.provider.name": provider, "gen_ai.request.model": model };
  return {
    ...analyst,
    analyse: (article, signal, answered) =>
      traceCall(
        `${provider} analyse`,
        { ...attributes, "nightdesk.article": article.id },
        () => analyst.analyse(article, signal, answered),
        describeCall,
      ),
    validate: (claim, sources, signal) =>
      traceCall(
        `${provider} validate`,
        attributes,
        () => analyst.validate(claim, sources, signal),
        describeCall,
      ),
  };
}

export function traceResearcher(researcher: Researcher): Researcher {
  const { provider } = researcher;
  return {
    ...researcher,
    search: (query, signal) =>
      traceCall(`${provider} search`, {}, () => researcher.search(query, signal), describeSearch),
  };
}

function describeCall(result: CallResult<unknown>): CallEnd {
  const { usage, answeredModel } = result;
  return {
    attributes: {
      ...(answeredModel ? { "gen_ai.response.model": answeredModel } : {}),
      ...(usage
        ? { "gen_ai.usage.input_tokens": usage.inputTokens, "gen_ai.usage.output_tokens": usage.outputTokens }
        : {}),
      ...(result.ok ? {} : { "error.type": result.failure }),
    },
    error: result.ok ? null : result.failure,
  };
}

function describeSearch(result: SearchResult): CallEnd {
  return {
    attributes: {
      ...(result.credits === null ? {} : { "nightdesk.credits": result.credits }),
      ...(result.ok ? {} : { "error.type": result.failure }),
    },
    error: result.ok ? null : result.failure,
  };
}
