/**
 * OpenTelemetry spans. Deno exports them when the process is started with OTEL_DENO=true and says where with the usual
 * OTEL_* variables; without that every function here does nothing. No key, no address with a query and no article text
 * goes into a span.
 */
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const tracer = trace.getTracer("nightdesk");

/** Whether anybody takes spans: asked before anything is read just to fill one. */
export function isTracing(): boolean {
  const span = tracer.startSpan("probe");
  return span.isRecording();
}

export interface CallEnd {
  attributes: Attributes;
  /** One line; null: it went well. */
  error: string | null;
}

const ABOUT = createContextKey("what calls are about");

/** Calls inside of `work` say what they are about: the session, the batch, the row of the ledger. */
export function traceAbout<T>(about: Attributes, work: () => T): T {
  const active = context.active();
  return context.with(active.setValue(ABOUT, { ...aboutOf(active), ...about }), work);
}

function aboutOf(active: Context): Attributes {
  return (active.getValue(ABOUT) ?? {}) as Attributes;
}

/** A request to a provider as a span around `work`; `describe` says how it went. */
export async function traceCall<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  describe: (result: T) => CallEnd,
): Promise<T> {
  const about = { ...aboutOf(context.active()), ...attributes };
  return await tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes: about }, async (span) => {
    try {
      const result = await work();
      const { attributes: more, error } = describe(result);
      span.setAttributes(more);
      if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      return result;
    } catch (thrown) {
      // Not its text: nobody has taken secrets out of that.
      span.setAttribute("error.type", thrown instanceof Error ? thrown.name : "thrown");
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw thrown;
    } finally {
      span.end();
    }
  });
}

export interface PastSpan {
  name: string;
  from: Date;
  to: Date;
  attributes: Attributes;
  children?: readonly PastSpan[];
}

/** A span of something that is over, with what happened inside it: a session lasts longer than any process must. */
export function tracePast({ name, from, to, attributes, children = [] }: PastSpan, parent?: Span): void {
  const within = parent ? trace.setSpan(context.active(), parent) : context.active();
  const span = tracer.startSpan(name, { startTime: from, attributes }, within);
  for (const child of children) tracePast(child, span);
  span.end(to);
}

/** Names the span of the request that is being answered by its route, so that there is one name a route. */
export function traceRoute(method: string, route: string): void {
  const span = trace.getActiveSpan();
  span?.updateName(`${method} ${route}`);
  span?.setAttribute("http.route", route);
}
